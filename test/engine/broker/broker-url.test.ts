import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskUrl, parseBrokerUrl, type RedisAddress } from '../../../src/engine/broker/broker-url.ts';
import { TqError } from '../../../src/engine/core/errors.ts';

const REDIS: RedisAddress = {
  kind: 'redis',
  mode: 'single',
  hosts: [{ host: 'localhost', port: 6379 }],
  master: undefined,
  db: 0,
  username: undefined,
  password: undefined,
  tls: false,
  caFile: undefined,
  prefix: 'bull',
};

const READ: readonly [url: string, address: Partial<RedisAddress>][] = [
  ['redis://localhost', {}],
  ['redis://', {}],
  ['REDIS://localhost/', {}],
  ['valkey://localhost', {}],
  ['valkeys://cache.example.com:7000/2', { tls: true, hosts: [{ host: 'cache.example.com', port: 7000 }], db: 2 }],
  ['rediss://h', { tls: true, hosts: [{ host: 'h', port: 6379 }] }],
  ['redis://10.0.0.1:6380/15', { hosts: [{ host: '10.0.0.1', port: 6380 }], db: 15 }],
  ['redis://[::1]:6380', { hosts: [{ host: '::1', port: 6380 }] }],
  ['redis://[2001:db8::7]', { hosts: [{ host: '2001:db8::7', port: 6379 }] }],
  ['redis://:secret@h', { hosts: [{ host: 'h', port: 6379 }], password: 'secret' }],
  ['redis://user@h', { hosts: [{ host: 'h', port: 6379 }], username: 'user' }],
  [
    'redis://user:p%40ss%2Fw%3Ard%25@h',
    { hosts: [{ host: 'h', port: 6379 }], username: 'user', password: 'p@ss/w:rd%' },
  ],
  ['redis://user:p@ss@h', { hosts: [{ host: 'h', port: 6379 }], username: 'user', password: 'p@ss' }],
  ['redis://user:a:b:c@h', { hosts: [{ host: 'h', port: 6379 }], username: 'user', password: 'a:b:c' }],
  ['redis://h?prefix=my%20app', { hosts: [{ host: 'h', port: 6379 }], prefix: 'my app' }],
  ['rediss://h/1?ca=%2Fetc%2Fca.pem', { hosts: [{ host: 'h', port: 6379 }], tls: true, db: 1, caFile: '/etc/ca.pem' }],
  [
    'redis+sentinel://:pw@s1,s2:26380,[::1]:1/mymaster/3',
    {
      mode: 'sentinel',
      hosts: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
        { host: '::1', port: 1 },
      ],
      master: 'mymaster',
      db: 3,
      password: 'pw',
    },
  ],
  ['valkeys+sentinel://s/m', { mode: 'sentinel', tls: true, hosts: [{ host: 's', port: 26379 }], master: 'm' }],
  [
    'redis+cluster://a:1,b',
    {
      mode: 'cluster',
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
      ],
      prefix: '{bull}',
    },
  ],
  [
    'rediss+cluster://a/0?prefix=%7Bx%7D',
    { mode: 'cluster', tls: true, hosts: [{ host: 'a', port: 6379 }], prefix: '{x}' },
  ],
];

const REFUSED: readonly [url: string, reason: RegExp][] = [
  ['', /scheme/],
  ['localhost:6379', /scheme/],
  ['http://localhost', /"http" is not one that tq knows/],
  ['redis:/localhost', /scheme/],
  ['redis://h:99999', /"h:99999" is not a host/],
  ['redis://h:port', /is not a host/],
  ['redis://::1', /is not a host/],
  ['redis://a b', /is not a host/],
  ['redis://a,b', /several hosts/],
  ['redis://h/x', /"\/x" is not a database number/],
  ['redis://h/-1', /not a database number/],
  ['redis://h/1/2', /not a database number/],
  ['redis+cluster://h/1', /only database 0/],
  ['redis+sentinel://h', /does not name the master/],
  ['redis://h?prefx=x', /no parameter "prefx", did you mean "prefix"/],
  ['redis://h?zzzzzz=x', /no parameter "zzzzzz"$/m],
  ['redis://user:p%zz@h', /broken percent-encoding/],
  ['redis://user:p/w@h', /percent-encode/],
  ['redis://:6380', /":6380" is not a host/],
  ['redis://user:a@b?c=d@h', /percent-encode/],
  ['redis://user:a@b/c@h', /percent-encode/],
  ['postgres://u:1?schema=a-b@h/d', /percent-encode/],
  ['postgres://u:p@h:x/d', /percent-encode/],
  ['postgres://h/d?schema=a-b', /"a-b" is not a simple schema name/],
  ['postgres://h/d?schema=', /not a simple schema name/],
];

describe('a broker URL', () => {
  test.each(READ)('%s is read', (url, address) => {
    expect(parseBrokerUrl(url)).toEqual({ ...REDIS, ...address });
  });

  test.each(['postgres', 'postgresql', 'POSTGRES'])(
    '%s:// keeps what pg understands, and tells its schema',
    (scheme) => {
      const address = parseBrokerUrl(`${scheme}://u:p%40@h:5433/d?sslmode=require&schema=jobs&application_name=x`);
      expect(address).toMatchObject({ kind: 'postgres', schema: 'jobs' });
      const passed = new URL((address as { connectionString: string }).connectionString);
      expect(passed.searchParams.get('schema')).toBeNull();
      expect(passed.searchParams.get('sslmode')).toBe('require');
      expect(passed.pathname).toBe('/d');
      expect(parseBrokerUrl(`${scheme}://h/d`)).toMatchObject({ schema: 'bullmq' });
    },
  );

  test.each(REFUSED)('%j is refused with its reason', (url, reason) => {
    let thrown: unknown;
    try {
      parseBrokerUrl(url);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TqError);
    expect(thrown).toMatchObject({ code: 'BROKER_URL_INVALID', exitCode: 2, message: expect.stringMatching(reason) });
  });

  test.each([
    ['redis://user:secret@h/0', 'redis://user:***@h/0'],
    ['redis://:secret@h', 'redis://:***@h'],
    ['redis://h', 'redis://h'],
    ['redis://user@h', 'redis://user@h'],
    ['redis://user:a@b:c/d@h', 'redis://user:***@h'],
    ['redis+sentinel://:x@a,b/m', 'redis+sentinel://:***@a,b/m'],
    ['postgres://u:p@h/d?password=x&sslpassword=y&a=b', 'postgres://u:***@h/d?password=***&sslpassword=***&a=b'],
  ])('%s is shown as %s', (url, shown) => {
    expect(maskUrl(url)).toBe(shown);
  });

  test('never shows its password, whatever is wrong with it', () => {
    const schemes = fc.constantFrom('redis', 'rediss', 'valkey', 'redis+sentinel', 'redis+cluster', 'postgres', 'http');
    const secret = fc.string({ minLength: 6, maxLength: 30 }).map((text) => `Zq${text}qZ`);
    const user = fc.stringMatching(/^[a-z]{0,8}$/);
    const rest = fc.constantFrom('h', 'h:1', 'h:99999', '[::1]', 'a b', 'h/x', 'h/1/2', 'h?oops=1', 'a,b', '');
    fc.assert(
      fc.property(schemes, user, secret, rest, fc.boolean(), (scheme, name, password, end, encoded) => {
        const url = `${scheme}://${name}:${encoded ? encodeURIComponent(password) : password}@${end}`;
        expect(maskUrl(url)).not.toContain('Zq');
        try {
          parseBrokerUrl(url);
        } catch (error) {
          expect(error).toBeInstanceOf(TqError);
          const { message, next, cause } = error as TqError;
          expect(`${message} ${next} ${String(cause)}`).not.toMatch(/Zq|qZ/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('reads back every password that was percent-encoded', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (password) => {
        fc.pre(!/[\ud800-\udfff]/.test(password));
        const address = parseBrokerUrl(`redis://u:${encodeURIComponent(password)}@h:1/2`);
        expect(address).toMatchObject({ password, hosts: [{ host: 'h', port: 1 }], db: 2 });
      }),
    );
  });
});

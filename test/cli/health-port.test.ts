import { afterEach, describe, expect, test } from 'vitest';
import { type HealthPort, openHealthPort } from '../../src/cli/health-port.ts';
import { type HealthFacts, judgeHealth } from '../../src/engine/worker/health/health.ts';

const FINE: HealthFacts = {
  phase: 'running',
  broker: { isUp: true, since: 1 },
  fetch: { isStuck: false, since: 1 },
  pool: { kind: 'async', slots: 1, running: 0, children: 0 },
};

const opened: HealthPort[] = [];

afterEach(async () => {
  for (const port of opened.splice(0)) await port.close();
});

async function open(facts?: Partial<HealthFacts>, at = 0): Promise<HealthPort> {
  const port = await openHealthPort('127.0.0.1', at);
  opened.push(port);
  if (facts !== undefined) port.show({ health: judgeHealth({ ...FINE, ...facts }) });
  return port;
}

async function ask({ port }: HealthPort, path: string, method = 'GET'): Promise<[number, unknown]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return [response.status, method === 'HEAD' ? undefined : await response.json()];
}

describe('the health port', () => {
  test.each([
    ['not yet made', undefined, 200, 503],
    ['running', {}, 200, 200],
    ['starting', { phase: 'starting' }, 200, 503],
    ['stopping', { phase: 'stopping' }, 200, 503],
    ['without its broker', { broker: { isUp: false, since: 5 } }, 200, 503],
    ['stuck', { fetch: { isStuck: true, since: 5 } }, 503, 503],
  ] as const)('of a worker that is %s', async (_, facts, healthz, readyz) => {
    const port = await open(facts);
    expect(await ask(port, '/healthz')).toEqual([healthz, expect.objectContaining({ live: healthz === 200 })]);
    expect(await ask(port, '/readyz?verbose')).toEqual([readyz, expect.objectContaining({ ready: readyz === 200 })]);
  });

  test('says why a worker is not ready, and since when', async () => {
    const port = await open({ broker: { isUp: false, since: 1_700_000_000_000 } });
    expect((await ask(port, '/readyz'))[1]).toMatchObject({
      problems: ['the broker is away'],
      components: { broker: { ok: false, since: 1_700_000_000_000 } },
    });
  });

  test('answers to HEAD, and says what else it was asked for', async () => {
    const port = await open({});
    expect(await ask(port, '/readyz', 'HEAD')).toEqual([200, undefined]);
    expect(await ask(port, '/')).toEqual([404, { error: 'ask for /healthz or /readyz' }]);
    expect(await ask(port, '/healthz', 'POST')).toEqual([405, { error: 'ask with GET' }]);
  });

  test('does not wait at its end for who keeps a connection', async () => {
    const port = await openHealthPort('127.0.0.1', 0);
    await ask(port, '/healthz');
    await port.close();
    await expect(ask(port, '/healthz')).rejects.toThrow();
  });
});

test('a port that is taken is refused, and so is an address of another machine', async () => {
  const { port } = await open();
  await expect(openHealthPort('127.0.0.1', port)).rejects.toMatchObject({
    code: 'HEALTH_PORT_REFUSED',
    message: `the health port ${port} of 127.0.0.1 cannot be opened: another process listens on it`,
  });
  await expect(openHealthPort('192.0.2.1', 0)).rejects.toMatchObject({
    message: expect.stringContaining('this machine does not have that address'),
  });
});

import { expect, test } from 'vitest';
import { parseResultsUrl } from '../../../../src/engine/broker/result-store/results-url.ts';

test.each([
  ['postgres://u:p@box/db', { kind: 'postgres', connectionString: 'postgres://u:p@box/db', schema: 'tq' }],
  ['postgresql://box/db?schema=own&sslmode=require', { kind: 'postgres', schema: 'own' }],
  ['sqlite:a b.db', { kind: 'sqlite', path: 'a b.db', synchronous: 'normal' }],
  ['sqlite:///var/r%25.db?synchronous=full', { kind: 'sqlite', path: '/var/r%.db', synchronous: 'full' }],
  ['sqlite::memory:', { kind: 'sqlite', path: ':memory:' }],
])('%s', (url, address) => {
  expect(parseResultsUrl(url)).toMatchObject(address);
});

test.each([
  ['redis://box', /stored in PostgreSQL or SQLite/],
  ['results.db', /stored in PostgreSQL or SQLite/],
  ['postgres://u:se/cret@box/db', /percent-encode/],
  ['postgres://u:secret@box/db?schema=a;b', /"a;b" is not a simple schema name/],
  ['sqlite:', /names no file/],
  ['sqlite://host/a.db', /it names a host/],
  ['sqlite:a.db?synchronus=full', /did you mean "synchronous"/],
  ['sqlite:a.db?synchronous=off', /neither normal nor full/],
  ['sqlite:%zz', /percent-encoding/],
])('%s is refused', (url, text) => {
  const parse = (): unknown => parseResultsUrl(url);
  expect(parse).toThrow(expect.objectContaining({ code: 'RESULTS_URL_INVALID' }));
  expect(parse).toThrow(text);
  expect(parse).not.toThrow(/secret|cret@/);
});

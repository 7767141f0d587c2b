import { expect, test } from 'vitest';
import { parseBrokerUrl } from '../../../src/engine/broker/broker-url.ts';
import { anchorSqliteUrl } from '../../../src/engine/config/sqlite-url.ts';

test.each([
  ['sqlite:jobs.db', 'sqlite:/srv/app/jobs.db'],
  ['sqlite:./data/../jobs.db?prefix=a/b', 'sqlite:/srv/app/jobs.db?prefix=a/b'],
  ['sqlite:../jobs.db', 'sqlite:/srv/jobs.db'],
  ['SQLite:my%20jobs.db', 'SQLite:/srv/app/my%20jobs.db'],
])('the relative path of %s begins at the folder', (url, anchored) => {
  expect(anchorSqliteUrl(url, '/srv/app')).toBe(anchored);
});

test.each([
  'sqlite:/var/jobs.db',
  'sqlite:///var/jobs.db',
  'sqlite::memory:',
  'sqlite::memory:?prefix=a',
  'sqlite:',
  'redis://localhost/0',
  'postgres://localhost/jobs',
])('%s means the same everywhere and stays', (url) => {
  expect(anchorSqliteUrl(url, '/srv/app')).toBe(url);
});

test('a folder whose name has a meaning in a URL is the folder still', () => {
  const folder = '/srv/100%25 ? no/app';
  expect(parseBrokerUrl(anchorSqliteUrl('sqlite:jobs.db', folder))).toMatchObject({ path: `${folder}/jobs.db` });
});

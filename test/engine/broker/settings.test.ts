import { describe, expect, test } from 'vitest';
import { checkPostgresSettings } from '../../../src/engine/broker/postgres/postgres-checkup.ts';
import { checkRedisSettings } from '../../../src/engine/broker/redis/redis-settings.ts';
import { checkSqliteSettings } from '../../../src/engine/broker/sqlite/sqlite-settings.ts';
import type { Finding } from '../../../src/engine/core/checkup/finding.ts';

const GIB = 2 ** 30;

function statusOf(findings: readonly Finding[], check: string): string {
  const found = findings.filter((finding) => finding.check === check);
  expect(found).toHaveLength(1);
  // What went wrong says what to do.
  for (const { status, fix } of found) if (status === 'warning' || status === 'failed') expect(fix).not.toBeNull();
  return found[0]?.status ?? '';
}

const INFO = {
  ...{ maxmemory_policy: 'noeviction', maxmemory: '0', used_memory: '1000', role: 'master', aof_enabled: '1' },
  ...{ aof_last_write_status: 'ok', rdb_last_bgsave_status: 'ok' },
};
const info = (given: Record<string, string> = {}): string =>
  Object.entries({ ...INFO, ...given })
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('');

describe('Redis', () => {
  test.each([
    ['eviction', {}, 'ok'],
    ['eviction', { maxmemory_policy: 'allkeys-lru', maxmemory: '1000000' }, 'failed'],
    ['eviction', { maxmemory_policy: 'volatile-lru' }, 'warning'],
    ['memory', {}, 'ok'],
    ['memory', { used_memory: '95', maxmemory: '100' }, 'warning'],
    ['memory', { used_memory: '50', maxmemory: '100' }, 'ok'],
    ['persistence', {}, 'ok'],
    ['persistence', { aof_enabled: '0' }, 'warning'],
    ['persistence', { aof_last_write_status: 'err' }, 'failed'],
    ['persistence', { rdb_last_bgsave_status: 'err' }, 'failed'],
    ['role', {}, 'ok'],
    ['role', { role: 'slave' }, 'failed'],
  ])('%s with %j is %s', (check, given, status) => {
    expect(statusOf(checkRedisSettings(info(given), '3600 1'), check)).toBe(status);
  });

  test('a server without any persistence loses every job with a restart', () => {
    const finding = checkRedisSettings(info({ aof_enabled: '0' }), '').find(({ check }) => check === 'persistence');
    expect(finding).toMatchObject({ status: 'warning', message: expect.stringContaining('loses every job') });
  });

  test('a server that says less is skipped, not blamed', () => {
    expect(statusOf(checkRedisSettings('redis_version:7.0.0\r\n', null), 'eviction')).toBe('skipped');
  });
});

const POSTGRES = {
  ...{ version: '18', synchronous: 'on', fsync: 'on', isReplica: false, connections: 10, maxConnections: 100 },
};

test.each([
  ['durability', {}, 'ok'],
  ['durability', { synchronous: 'off' }, 'warning'],
  ['durability', { fsync: 'off' }, 'failed'],
  ['connections', {}, 'ok'],
  ['connections', { connections: 85 }, 'warning'],
  ['role', {}, 'ok'],
  ['role', { isReplica: true }, 'failed'],
])('PostgreSQL: %s with %j is %s', (check, given, status) => {
  expect(statusOf(checkPostgresSettings({ ...POSTGRES, ...given }), check)).toBe(status);
});

const SQLITE = {
  ...{ path: '/jobs.db', synchronous: 'normal' as const, fileBytes: GIB, walBytes: 1000, freeBytes: 10 * GIB },
  ...{ fileSystem: 0xef53, integrity: 'ok' },
};

test.each([
  ['durability', {}, 'ok'],
  ['durability', { synchronous: 'full' as const }, 'ok'],
  ['write-ahead-log', {}, 'ok'],
  ['write-ahead-log', { walBytes: GIB }, 'warning'],
  ['disk-space', {}, 'ok'],
  ['disk-space', { freeBytes: 100 * 2 ** 20 }, 'warning'],
  ['disk-space', { freeBytes: 1000 }, 'failed'],
  ['file-system', {}, 'ok'],
  ['file-system', { fileSystem: 0x6969 }, 'failed'],
  ['integrity', {}, 'ok'],
  ['integrity', { integrity: 'row 3 missing from index job_by_id' }, 'failed'],
  ['integrity', { integrity: null }, 'skipped'],
])('SQLite: %s with %j is %s', (check, given, status) => {
  expect(statusOf(checkSqliteSettings({ ...SQLITE, ...given }), check)).toBe(status);
});

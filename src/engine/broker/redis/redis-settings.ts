import { type Finding, failed, formatBytes, ok, skipped, warning } from '../../core/checkup/finding.ts';

/** A server that is fuller than this is close to refusing writes. */
const FULL_SHARE = 0.9;

/**
 * What the settings of a Redis server mean for jobs.
 *
 * @param info what INFO says, all sections
 * @param save the `save` setting: '' when there are no snapshots, null when nobody may read it
 */
export function checkRedisSettings(info: string, save: string | null): Finding[] {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  return [
    checkEviction(field('maxmemory_policy'), Number(field('maxmemory') ?? 0)),
    checkMemory(Number(field('used_memory') ?? 0), Number(field('maxmemory') ?? 0)),
    checkPersistence(field, save),
    checkReplica(field('role')),
  ];
}

function checkEviction(policy: string | undefined, limit: number): Finding {
  if (policy === undefined) return skipped('eviction', 'the server does not say its maxmemory-policy');
  if (policy === 'noeviction')
    return ok('eviction', 'maxmemory-policy is noeviction: no job is dropped when memory is short');
  const fix = 'CONFIG SET maxmemory-policy noeviction, and in the configuration of the server';
  const message = `maxmemory-policy is ${policy}: when memory is short, the server drops keys, and jobs with them`;
  return limit > 0 ? failed('eviction', message, fix) : warning('eviction', `${message}; it has no maxmemory now`, fix);
}

function checkMemory(used: number, limit: number): Finding {
  if (limit === 0) return ok('memory', `${formatBytes(used)} used; the server has no maxmemory`);
  const message = `${formatBytes(used)} of ${formatBytes(limit)} used`;
  if (used < limit * FULL_SHARE) return ok('memory', message);
  const fix = 'raise maxmemory, or remove what is not needed: `tq purge`, results that are kept for less long';
  return warning('memory', `${message}: a full server refuses new jobs`, fix);
}

function checkPersistence(field: (name: string) => string | undefined, save: string | null): Finding {
  const check = 'persistence';
  if (field('aof_last_write_status') === 'err') {
    return failed(check, 'the server could not write its append-only file', 'look at its log: a full or broken disk');
  }
  if (field('rdb_last_bgsave_status') === 'err') {
    return failed(
      check,
      'the last snapshot of the server failed',
      'look at its log: a full disk, or too little memory',
    );
  }
  if (field('aof_enabled') === '1') return ok(check, 'the append-only file is on');
  const fix = 'CONFIG SET appendonly yes, and in the configuration of the server';
  if (save === '') return warning(check, 'nothing is written to disk: a restart of the server loses every job', fix);
  if (save === null)
    return warning(check, 'the append-only file is off: a crash of the server may lose the latest jobs', fix);
  return warning(check, `only snapshots are written (${save}): a crash loses the jobs since the last one`, fix);
}

function checkReplica(role: string | undefined): Finding {
  if (role !== 'slave') return ok('role', 'the server takes writes');
  return failed(
    'role',
    'the server is a replica: it takes no writes',
    'use the URL of the primary, or redis+sentinel://',
  );
}

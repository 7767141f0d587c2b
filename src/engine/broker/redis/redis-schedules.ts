import { formatFiringId } from '../../core/schedule/firing.ts';
import type { NextFiring, SchedulerRecord, ScheduleStore } from '../schedule-store.ts';
import { BULK_SCRIPT, bulkKeys } from './bulk/bulk-script.ts';
import { JOB_STATE, stateSets } from './job-state-script.ts';
import type { RedisClient } from './redis-client.ts';

/**
 * KEYS: completed, failed, delayed, waiting-children, active, repeat. ARGV: begin of the keys of jobs, ids of schedulers. Gives for each
 * due time and state of the firing ahead, name, count, pattern, every and options; an empty due time for one that is not there.
 */
const READ = `${JOB_STATE}
  local found = {}
  for at = 2, #ARGV do
    local id = ARGV[at]
    local due = redis.call('ZSCORE', KEYS[6], id)
    if due then
      local job = 'repeat:' .. id .. ':' .. due
      local state = readFields(ARGV[1] .. job, 'name')[1] and stateOf(job) or ''
      local fields = readFields(KEYS[6] .. ':' .. id, 'name', 'ic', 'pattern', 'every', 'opts')
      found[#found + 1] = { due, state, fields[1] or '', fields[2] or '1', fields[3] or '', fields[4] or '', fields[5] or '' }
    else found[#found + 1] = { '' } end
  end
  return found`;

/**
 * BullMQ's addJobScheduler and updateJobScheduler, for a due time that the caller knows and a firing ahead that it expects.
 *
 * KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, now, id of the scheduler, due time ahead or nothing, id of that job, new due time, id
 * of that job, 1 to replace, count, priority, options, then the fields of a new record of the scheduler. Gives put, taken or moved.
 */
const PUT = `${BULK_SCRIPT}
  local now, id, from, before, to, job = tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
  local priority = tonumber(ARGV[10])
  local record = SCHEDULES .. ':' .. id
  local key, dueAt = base .. job, tonumber(to)
  local ahead = call('ZSCORE', SCHEDULES, id)
  if tonumber(ahead or '') ~= tonumber(from) then return 'moved' end
  local replaces = ARGV[8] == '1' and call('EXISTS', base .. before) == 1
  if replaces and not call('ZSCORE', DELAYED, before) then return 'moved' end
  if call('EXISTS', key) == 1 and not (replaces and job == before) then return 'taken' end
  if replaces then
    local old = base .. before
    local unique = call('HGET', old, 'deid')
    if unique and call('GET', base .. 'de:' .. unique) == before then call('DEL', base .. 'de:' .. unique) end
    call('ZREM', DELAYED, before)
    call('DEL', old, old .. ':logs', old .. ':dependencies', old .. ':processed', old .. ':failed', old .. ':unsuccessful')
    emit('removed', 'jobId', before, 'prev', 'delayed')
  end
  if #ARGV > 11 then
    call('DEL', record)
    call('HSET', record, unpack(ARGV, 12))
  end
  call('HSET', record, 'ic', ARGV[9])
  call('ZADD', SCHEDULES, to, id)
  call('INCR', IDS)
  local template = call('HMGET', record, 'name', 'data')
  local delay = math.max(0, dueAt - now)
  call('HSET', key, 'name', template[1] or '', 'data', template[2] or '{}', 'opts', ARGV[11], 'timestamp', ARGV[2],
    'delay', string.format('%.0f', delay), 'priority', ARGV[10], 'rjk', id)
  emit('added', 'jobId', job, 'name', template[1] or '')
  if delay > 0 then
    schedule(job, dueAt)
    emit('delayed', 'jobId', job, 'delay', to)
  else
    queue(job, priority)
    emit('waiting', 'jobId', job)
    wake()
  end
  return 'put'`;

/** KEYS: `bulkKeys`. ARGV: begin of the keys of jobs, now, id of the scheduler. */
const REMOVE = `${BULK_SCRIPT}
  local id = ARGV[3]
  local due = call('ZSCORE', SCHEDULES, id)
  if not due then return 0 end
  local job = 'repeat:' .. id .. ':' .. due
  if tonumber(due) > tonumber(ARGV[2]) and call('ZREM', DELAYED, job) == 1 then
    local key = base .. job
    call('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
    emit('removed', 'jobId', job, 'prev', 'delayed')
  end
  call('ZREM', SCHEDULES, id)
  call('DEL', SCHEDULES .. ':' .. id)
  return 1`;

/** What one script reads at most: the server does nothing else meanwhile. */
const READ_AT_ONCE = 500;

export function createRedisSchedules(client: RedisClient, prefix: string): ScheduleStore {
  return {
    async read(queue, ids) {
      const base = `${prefix}:${queue}`;
      const keys = [...stateSets(base), `${base}:repeat`];
      const pages: Promise<unknown>[] = [];
      for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
        pages.push(client.eval(READ, keys.length, ...keys, `${base}:`, ...ids.slice(at, at + READ_AT_ONCE)));
      }
      return ((await Promise.all(pages)) as string[][][]).flat().map(toRecord);
    },
    async put(queue, firing, now) {
      const base = `${prefix}:${queue}`;
      const keys = bulkKeys(base);
      return (await client.eval(PUT, keys.length, ...keys, `${base}:`, now, ...toArguments(firing))) as Answer;
    },
    async remove(queue, id, now) {
      const base = `${prefix}:${queue}`;
      const keys = bulkKeys(base);
      return (await client.eval(REMOVE, keys.length, ...keys, `${base}:`, now, id)) === 1;
    },
  };
}

type Answer = Awaited<ReturnType<ScheduleStore['put']>>;

function toArguments(firing: NextFiring): (string | number)[] {
  const { id, from, to, made, replaces, opts, priority, template } = firing;
  const before = from === null ? '' : formatFiringId(id, from);
  const fields =
    template === undefined ? [] : Object.entries({ ...template, opts: JSON.stringify(template.opts) }).flat();
  return [
    ...[id, from ?? '', before, to, formatFiringId(id, to), replaces ? 1 : 0, made, priority],
    JSON.stringify(opts),
    ...fields,
  ];
}

function toRecord([due = '', state, name = '', made, pattern, every, opts]: string[]): SchedulerRecord | null {
  if (due === '') return null;
  const text = (value: string | undefined): string | null => (value === undefined || value === '' ? null : value);
  return {
    ...{ dueAt: Number(due), state: text(state), name, made: Number(made) },
    ...{ pattern: text(pattern), every: text(every), opts: text(opts) },
  };
}

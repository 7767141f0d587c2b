/**
 * What the scripts that read jobs of one queue share. Their first five keys are its sets, as `stateSets` gives them.
 *
 * `readFields(key, ...)` gives the fields of a job; none when the key is no hash, for an id may look like another key of the queue.
 * `stateOf(id)` gives BullMQ's state of a job that is there. The list of the active ones is read once, by the first that needs it.
 */
export const JOB_STATE = `
  local active
  local function readFields(key, ...)
    if redis.call('TYPE', key).ok ~= 'hash' then return {} end
    return redis.call('HMGET', key, ...)
  end
  local function stateOf(id)
    if active == nil then
      active = {}
      for _, taken in ipairs(redis.call('LRANGE', KEYS[5], 0, -1)) do active[taken] = true end
    end
    if redis.call('ZSCORE', KEYS[1], id) then return 'completed' end
    if redis.call('ZSCORE', KEYS[2], id) then return 'failed' end
    if redis.call('ZSCORE', KEYS[3], id) then return 'delayed' end
    if redis.call('ZSCORE', KEYS[4], id) then return 'waiting-children' end
    return active[id] and 'active' or 'waiting'
  end`;

/** @param base key prefix and queue: `bull:mail` */
export function stateSets(base: string): string[] {
  return ['completed', 'failed', 'delayed', 'waiting-children', 'active'].map((set) => `${base}:${set}`);
}

/** The delayed set's scores hold the due time above twelve bits of order (BullMQ: getDelayedScore). */
const DELAYED_SCORE_UNIT = 0x1000;

/** @returns epoch ms */
export function toDueAt(delayedScore: string | number): number {
  return Math.floor(Number(delayedScore) / DELAYED_SCORE_UNIT);
}

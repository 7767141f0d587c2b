import type { RedisQueueBackend } from 'bullmq';
import type { ChainableCommander } from 'ioredis';
import { type FlowEntry, flowRefusal } from '../flow-entry.ts';

/**
 * BullMQ counts a child that exists already as one that has not ended, unless it is completed: its parent would wait for a dead
 * letter for ever. Here those of them that are dead are taken for what they are, as BullMQ does when a child fails.
 *
 * KEYS: the parent, then for each child its queue's failed jobs and the child itself. ARGV: the parent's id, the begin of the
 * keys of its queue, then for each child its id, and 1 when its parent is to start without waiting for the others.
 */
const COUNT_DEAD_CHILDREN = `
  local starts = false
  for at = 2, #KEYS, 2 do
    local id, child = ARGV[at + 1], KEYS[at + 1]
    if redis.call('ZSCORE', KEYS[at], id) and redis.call('SREM', KEYS[1] .. ':dependencies', child) == 1 then
      redis.call('HSET', KEYS[1] .. ':failed', child, redis.call('HGET', child, 'failedReason') or '')
      starts = starts or ARGV[at + 2] == '1'
    end
  end
  if not starts or redis.call('ZREM', ARGV[2] .. 'waiting-children', ARGV[1]) == 0 then return end
  local priority = tonumber(redis.call('HGET', KEYS[1], 'priority')) or 0
  if priority == 0 then redis.call('RPUSH', ARGV[2] .. 'wait', ARGV[1])
  else redis.call('ZADD', ARGV[2] .. 'prioritized', priority * 0x100000000, ARGV[1]) end
  redis.call('XADD', ARGV[2] .. 'events', '*', 'event', 'waiting', 'jobId', ARGV[1], 'prev', 'waiting-children')
  local queue = redis.call('HMGET', ARGV[2] .. 'meta', 'paused', 'concurrency')
  local maxed = queue[2] and redis.call('LLEN', ARGV[2] .. 'active') >= tonumber(queue[2])
  if not queue[1] and not maxed then redis.call('ZADD', ARGV[2] .. 'marker', 0, '0') end`;

/** KEYS: a job, the failed and the completed ones of its queue. ARGV: its id, '1' when only a dead letter runs again. What BullMQ's own script leaves of an earlier run. */
const FORGET_RUN = `
  if redis.call('ZSCORE', KEYS[2], ARGV[1]) or (ARGV[2] ~= '1' and redis.call('ZSCORE', KEYS[3], ARGV[1])) then
    redis.call('HDEL', KEYS[1], 'stc', 'defa', 'failedReason')
  end`;

type Transaction = Parameters<RedisQueueBackend['addJobToTransaction']>[0] & Pick<ChainableCommander, 'eval' | 'exec'>;

async function openTransaction(backend: RedisQueueBackend): Promise<Transaction> {
  return (await backend.client).multi() as unknown as Transaction;
}

/** @returns the answers of the commands, in order @throws the first error among them */
async function execute(transaction: Transaction): Promise<unknown[]> {
  const answers = (await transaction.exec()) ?? [];
  return answers.map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}

interface Parent {
  readonly key: string;
  readonly id: string;
  readonly queueKey: string;
  readonly children: FlowEntry[];
}

/**
 * Adds the jobs in one transaction: BullMQ's script for each of them, then for each parent what its children mean for it. A script
 * that refuses its job does not undo the others, so the parents that the flow needs are looked up first. The look is spared where
 * all hangs on one of them: then one refusal is that of all. A parent that is removed between the look and the transaction is
 * found missing all the same, but the jobs that do not hang on it are added.
 *
 * @param now epoch ms
 * @throws PARENT_MISSING
 */
export async function addRedisFlow(
  entries: readonly FlowEntry[],
  { backendOf: create, now }: { backendOf: (queue: string) => RedisQueueBackend; now: number },
): Promise<string[]> {
  const [first] = entries;
  if (first === undefined) return [];
  const backends = new Map<string, RedisQueueBackend>();
  const backendOf = (queue: string): RedisQueueBackend => {
    const backend = backends.get(queue) ?? create(queue);
    backends.set(queue, backend);
    return backend;
  };
  const root = backendOf(first.queueName);
  await assertParents(entries, root);
  const transaction = await openTransaction(root);
  for (const { jobData, jobId, parentKeyOpts, queueName } of entries) {
    await root.addJobToTransaction(transaction, jobData, jobId, parentKeyOpts, backendOf(queueName).keys);
  }
  for (const { key, id, queueKey, children } of groupByParent(entries)) {
    const keys = children.flatMap(({ queueName, jobId }) => {
      const backend = backendOf(queueName);
      return [backend.toKey('failed'), backend.toKey(jobId)];
    });
    const facts = children.flatMap(({ jobId, jobData }) => [jobId, jobData.parent?.cpof === true ? 1 : 0]);
    transaction.eval(COUNT_DEAD_CHILDREN, keys.length + 1, key, ...keys, id, `${queueKey}:`, ...facts);
    const release = [key, `${key}:dependencies`, queueKey, id, now];
    root.execCommand(transaction, 'releaseParentIfNoPendingDependencies', release);
  }
  const answers = await execute(transaction);
  return entries.map((entry, index) => {
    const answer = answers[index];
    if (typeof answer === 'number' && answer < 0) throw flowRefusal(entry, answer);
    return String(answer);
  });
}

function groupByParent(entries: readonly FlowEntry[]): Parent[] {
  const parents = new Map<string, Parent>();
  for (const entry of entries) {
    const { parent, parentKey: key } = entry.jobData;
    if (parent?.id === undefined || key === undefined) continue;
    const known = parents.get(key) ?? { key, id: parent.id, queueKey: parent.queueKey, children: [] };
    known.children.push(entry);
    parents.set(key, known);
  }
  return [...parents.values()];
}

async function assertParents(entries: readonly FlowEntry[], backend: RedisQueueBackend): Promise<void> {
  /** What each job of the flow hangs on in the end: a parent outside of it, or nothing. */
  const roots = new Map<string, FlowEntry | undefined>();
  for (const entry of entries) {
    const { parentKey } = entry.jobData;
    const root = parentKey === undefined ? undefined : roots.has(parentKey) ? roots.get(parentKey) : entry;
    roots.set(`${entry.prefix}:${entry.queueName}:${entry.jobId}`, root);
  }
  const outside = new Map<string | undefined, FlowEntry | undefined>();
  for (const root of roots.values()) {
    const key = root?.jobData.parentKey;
    if (!outside.has(key)) outside.set(key, root);
  }
  if (outside.size === 1) return;
  const transaction = await openTransaction(backend);
  const needed = [...outside.values()].filter((entry) => entry !== undefined);
  for (const { jobData } of needed) (transaction as unknown as ChainableCommander).exists(jobData.parentKey as string);
  const found = await execute(transaction);
  for (const [index, entry] of needed.entries()) if (found[index] === 0) throw flowRefusal(entry, -5);
}

/** Runs a finished job again. @returns false when it is not there, or has not finished in one of these ways */
export async function reprocessRedisJob(
  backend: RedisQueueBackend,
  id: string,
  from: readonly ('failed' | 'completed')[],
): Promise<boolean> {
  const { keys } = backend;
  const transaction = await openTransaction(backend);
  const job = backend.toKey(id);
  const sets = { failed: backend.toKey('failed'), completed: backend.toKey('completed') };
  transaction.eval(FORGET_RUN, 3, job, sets.failed, sets.completed, id, from.includes('completed') ? '' : '1');
  for (const [state, field] of [
    ['failed', 'failedReason'],
    ['completed', 'returnvalue'],
  ] as const) {
    if (!from.includes(state)) continue;
    const names = ['events', state, 'wait', 'meta', 'active', 'marker', 'prioritized', 'pc'] as const;
    const rest = names.map((name) => keys[name]);
    backend.execCommand(transaction, 'reprocessJob', [job, ...rest, id, 'LPUSH', field, state, '1', '1']);
  }
  const [, ...answers] = await execute(transaction);
  return answers.includes(1);
}

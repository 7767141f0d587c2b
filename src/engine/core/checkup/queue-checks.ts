import { countOf, nameSome } from '../counted.ts';
import { formatDuration } from '../duration.ts';
import { formatInstant } from '../instant.ts';
import { nearestNames } from '../nearest.ts';
import { type Finding, failed, ok, skipped, warning } from './finding.ts';
import { isOvergrown, type QueueLeftovers } from './leftovers.ts';

/** A queue as the checks see it. */
export interface CheckedQueue {
  readonly queue: string;
  readonly waiting: number;
  readonly paused: boolean;
  /** Workers that are connected to it, of any BullMQ client. */
  readonly consumers: number;
  readonly oldestWaitingMs: number | null;
  /** The live workers of tq that serve it. */
  readonly servedBy: readonly string[];
  /** Tasks of the first waiting jobs that none of those workers registers; empty where others may serve the queue too. */
  readonly unregistered: readonly string[];
  /** Active jobs without a lock. */
  readonly lost: readonly string[];
  readonly leftovers: QueueLeftovers;
}

export interface CheckedQueues {
  readonly queues: readonly CheckedQueue[];
  /** Epoch ms. */
  readonly now: number;
  /** Every name that a live worker registers. */
  readonly knownTasks: ReadonlySet<string>;
  /** Everything in the store was looked through. */
  readonly isWhole: boolean;
}

/** A schedule entry that is later than this does not merely wait for a busy worker. */
const LATE_MS = 5 * 60_000;

export function checkQueues(checked: CheckedQueues): Finding[] {
  const { queues, isWhole } = checked;
  if (queues.length === 0) return [ok('queues', 'there are no queues on this broker')];
  return [
    ...checkServed(queues),
    ...checkPaused(queues),
    ...checkTasks(checked),
    ...checkLost(queues),
    ...checkSchedules(checked),
    ...checkStrayKeys(queues),
    ...checkOrphans(queues),
    ...checkEvents(queues),
    ...(isWhole
      ? []
      : [
          skipped('scan', 'the broker holds more keys than are looked through: there may be more of what is left over'),
        ]),
  ];
}

function checkServed(queues: readonly CheckedQueue[]): Finding[] {
  const idle = queues.filter(
    ({ waiting, consumers, servedBy }) => waiting > 0 && consumers === 0 && servedBy.length === 0,
  );
  if (idle.length === 0) return [ok('unserved-queues', 'every queue with waiting jobs has a worker')];
  return idle.map(({ queue, waiting, oldestWaitingMs }) => {
    const since = oldestWaitingMs === null ? '' : `, the oldest for ${formatDuration(oldestWaitingMs)}`;
    const message = `${countOf(waiting, 'job waits', 'jobs wait')} in queue "${queue}", which no worker serves${since}`;
    return failed('unserved-queues', message, `start a worker for it: \`tq worker -Q ${queue}\``);
  });
}

function checkPaused(queues: readonly CheckedQueue[]): Finding[] {
  return queues
    .filter(({ paused, waiting }) => paused && waiting > 0)
    .map(({ queue, waiting }) =>
      warning(
        'paused-queues',
        `queue "${queue}" is paused, and ${countOf(waiting, 'job waits', 'jobs wait')} in it`,
        `\`tq queue resume ${queue}\``,
      ),
    );
}

function checkTasks({ queues, knownTasks }: CheckedQueues): Finding[] {
  const found = queues.filter(({ unregistered }) => unregistered.length > 0);
  if (found.length === 0)
    return [ok('unregistered-tasks', 'the tasks of waiting jobs are registered, as far as was looked')];
  return found.map(({ queue, unregistered, servedBy }) => {
    const near = nearestNames(unregistered[0] ?? '', knownTasks);
    const hint = near.length === 0 ? '' : `; near it there is ${near.join(', ')}`;
    const message = `jobs wait in queue "${queue}" whose task none of its workers (${nameSome(servedBy)}) registers: ${nameSome(unregistered)}${hint}`;
    return failed('unregistered-tasks', message, 'start workers with the module that has these tasks');
  });
}

function checkLost(queues: readonly CheckedQueue[]): Finding[] {
  const found = queues.filter(({ lost }) => lost.length > 0);
  if (found.length === 0) return [ok('lost-jobs', 'every active job has its lock')];
  return found.map(({ queue, lost, servedBy, consumers }) => {
    const message = `${countOf(lost.length, 'job of', 'jobs of')} queue "${queue}" ${lost.length === 1 ? 'is' : 'are'} active without a lock, so the worker is gone: ${nameSome(lost)}`;
    if (servedBy.length > 0 || consumers > 0) {
      return warning(
        'lost-jobs',
        `${message}; the workers of the queue take them up`,
        `wait; \`tq why ${lost[0]}\` says until when`,
      );
    }
    return failed(
      'lost-jobs',
      `${message}; no worker serves the queue, so nobody takes them up`,
      `\`tq worker -Q ${queue}\``,
    );
  });
}

function checkSchedules({ queues, now }: CheckedQueues): Finding[] {
  const found = queues.flatMap(({ queue, paused, leftovers }) =>
    leftovers.schedules.flatMap((schedule) => ({ ...schedule, queue, paused })),
  );
  // One whose last firing was due and has ended, or left no trace, is over.
  const stopped = found.filter(({ hasNext, isLast, nextAt }) => !hasNext && !(isLast && nextAt <= now));
  // The check of the beat is about those of tq.
  const foreign = found.filter(({ isOwn }) => !isOwn);
  const late = foreign.filter(({ hasNext, nextAt, paused }) => hasNext && !paused && now - nextAt > LATE_MS);
  if (stopped.length === 0 && late.length === 0) {
    return [
      ok(
        'schedules',
        found.length === 0
          ? 'no schedule entry has a firing ahead'
          : `${countOf(found.length, 'schedule entry fires', 'schedule entries fire')}`,
      ),
    ];
  }
  return [
    ...stopped.map(({ id, queue, nextAt, isOwn }) =>
      failed(
        'schedules',
        `schedule entry "${id}" of queue "${queue}" has stopped: its next job, due at ${formatInstant(nextAt)}, is not there`,
        isOwn
          ? `run \`tq beat\`, which puts it back; \`tq schedule resume ${id}\` does so at once`
          : 'add the entry again: upsertJobScheduler() of the application that owns it',
      ),
    ),
    ...late.map(({ id, queue, nextAt }) =>
      warning(
        'schedules',
        `schedule entry "${id}" of queue "${queue}" is late: its next job was due ${formatDuration(now - nextAt)} ago`,
        `\`tq why ${`repeat:${id}:${nextAt}`} -Q ${queue}\` says what that job waits for`,
      ),
    ),
  ];
}

function checkStrayKeys(queues: readonly CheckedQueue[]): Finding[] {
  const found = queues.filter(({ leftovers }) => leftovers.strayKeys.length > 0);
  if (found.length === 0) return [ok('unique-keys', 'every unique key is held by a job that is there')];
  return found.map(({ queue, leftovers: { strayKeys } }) => {
    const keys = nameSome(strayKeys.map(({ key }) => key));
    const message = `${countOf(strayKeys.length, 'unique key', 'unique keys')} of queue "${queue}" ${strayKeys.length === 1 ? 'is' : 'are'} held by jobs that are gone, so no call with such a key is stored: ${keys}`;
    return failed('unique-keys', message, '`tq doctor --fix` gives them back');
  });
}

function checkOrphans(queues: readonly CheckedQueue[]): Finding[] {
  const found = queues.filter(({ leftovers }) => (leftovers.orphans ?? []).length > 0);
  const large = queues.filter(({ leftovers }) => leftovers.orphans === null).map(({ queue }) => queue);
  const reasons = found.map(({ queue, leftovers }) => {
    const orphans = leftovers.orphans ?? [];
    const message = `${countOf(orphans.length, 'record', 'records')} of jobs in no list of queue "${queue}", so nobody runs or sees them: ${nameSome(orphans)}`;
    return warning('orphans', message, '`tq jobs show ID` shows one; `tq doctor --fix` removes them');
  });
  if (large.length > 0)
    reasons.push(skipped('orphans', `too many jobs wait to look for orphans in ${nameSome(large)}`));
  return reasons.length > 0 ? reasons : [ok('orphans', 'every stored job stands in a list of its queue')];
}

function checkEvents(queues: readonly CheckedQueue[]): Finding[] {
  const found = queues.filter(({ leftovers }) => isOvergrown(leftovers.events));
  if (found.length === 0) return [ok('event-logs', 'the event logs are within their bounds')];
  return found.map(({ queue, leftovers: { events } }) =>
    warning(
      'event-logs',
      `the event log of queue "${queue}" has ${events.length} entries, where ${events.bound} are kept`,
      '`tq doctor --fix` cuts it',
    ),
  );
}

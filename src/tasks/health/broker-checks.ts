import { countOf, nameSome } from '../../engine/core/counted.ts';
import { formatDuration } from '../../engine/core/duration.ts';
import type { HealthComponent, HealthStatus } from '../../engine/core/health/report.ts';
import type { BrokerPulse, QueuePulse, WorkersPulse } from './health-source.ts';
import type { HealthLimits } from './limits.ts';

export function checkBroker(pulse: BrokerPulse, limits: Pick<HealthLimits, 'slowBrokerMs'>): HealthComponent {
  const { url, store } = pulse;
  const latencyMs = Math.round(pulse.latencyMs * 10) / 10;
  const isSlow = latencyMs > limits.slowBrokerMs;
  const limit = isSlow ? `, more than ${formatDuration(limits.slowBrokerMs)}` : '';
  const message = `${store} answers in ${latencyMs} ms${limit}`;
  return { name: 'broker', status: isSlow ? 'degraded' : 'ok', message, answers: true, latencyMs, url, store };
}

/** A broker that could not be asked. @param reason what was in the way */
export function lostBroker(reason: string): HealthComponent {
  const unknown = { answers: false, latencyMs: null, url: null, store: null };
  return { name: 'broker', status: 'failed', message: `the broker does not answer: ${reason}`, ...unknown };
}

/** Jobs that stand still because nobody serves their queue are a failure once they do so for longer than a deploy takes. */
export function checkQueues(queues: readonly QueuePulse[], limits: HealthLimits): HealthComponent {
  const { queueDepth, oldestWaitingMs, deadLetters } = limits;
  const hasOld = ({ oldestWaitingMs: age }: QueuePulse): boolean => age !== null && age > oldestWaitingMs;
  const unserved = queues.filter(({ waiting, consumers, paused }) => waiting > 0 && consumers === 0 && !paused);
  const paused = queues.filter((queue) => queue.paused && queue.waiting > 0);
  const deep = queues.filter(({ waiting }) => waiting > queueDepth);
  const old = queues.filter((queue) => hasOld(queue) && !unserved.includes(queue) && !paused.includes(queue));
  const waiting = sumOf(queues, (queue) => queue.waiting);
  const dead = sumOf(queues, (queue) => queue.dead);
  const problems: [HealthStatus, string][] = [
    ...unserved.map((queue): [HealthStatus, string] => [
      hasOld(queue) ? 'failed' : 'degraded',
      `nobody serves ${queue.queue}, where ${countJobs(queue.waiting)}${sinceWhen(queue)}`,
    ]),
    ...paused.map((queue): [HealthStatus, string] => [
      'degraded',
      `${queue.queue} is paused, and ${countJobs(queue.waiting)} in it`,
    ]),
    ...deep.map((queue): [HealthStatus, string] => [
      'degraded',
      `${countJobs(queue.waiting)} in ${queue.queue}, more than ${queueDepth}`,
    ]),
    ...old.map((queue): [HealthStatus, string] => [
      'degraded',
      `the oldest job of ${queue.queue} waits${sinceWhen(queue, ' for')}`,
    ]),
    ...(dead > deadLetters
      ? [['degraded', `there are ${dead} dead letters, more than ${deadLetters}`] as [HealthStatus, string]]
      : []),
  ];
  const counts = `${countOf(queues.length, 'queue')}, ${countJobs(waiting)}, ${countOf(dead, 'dead letter')}`;
  const ages = queues.flatMap(({ oldestWaitingMs: age }) => (age === null ? [] : [age]));
  return {
    name: 'queues',
    status: problems.some(([status]) => status === 'failed') ? 'failed' : problems.length > 0 ? 'degraded' : 'ok',
    message:
      problems.length === 0
        ? counts
        : nameSome(
            problems.map(([, text]) => text),
            '; ',
          ),
    queues: queues.length,
    waiting,
    dead,
    oldestWaitingMs: ages.length === 0 ? null : Math.max(...ages),
    unserved: unserved.map(({ queue }) => queue),
    paused: paused.map(({ queue }) => queue),
  };
}

/** @param consumers workers that are connected to the queues, of any BullMQ client; undefined when nobody could look */
export function checkWorkers(
  { workers, silent }: WorkersPulse,
  { leastWorkers }: Pick<HealthLimits, 'leastWorkers'>,
  consumers: number | undefined,
): HealthComponent {
  const live = workers.length + silent.length;
  const unready = workers.filter(({ problems }) => problems.length > 0);
  // Workers of plain BullMQ and those without remote control stand in no registry, and may do all the work there is.
  const isServed = live === 0 && (consumers ?? 0) > 0;
  const tooFew =
    live >= leastWorkers
      ? []
      : [
          isServed
            ? 'no worker of tq is live, though others are connected to the queues'
            : live === 0
              ? 'no worker is live'
              : `${countOf(live, 'live worker')}, fewer than ${leastWorkers}`,
        ];
  const problems = [
    ...tooFew,
    ...(silent.length === 0 ? [] : [`no answer from ${nameSome(silent, ', ')}`]),
    ...unready.map(({ name, problems: reasons }) => `${name} is not ready: ${reasons.join(', ')}`),
  ];
  const hasFailed = leastWorkers > 0 && live === 0 && !isServed;
  return {
    name: 'workers',
    status: hasFailed ? 'failed' : problems.length > 0 ? 'degraded' : 'ok',
    message: problems.length === 0 ? countOf(live, 'live worker') : nameSome(problems, '; '),
    live,
    ready: workers.length - unready.length,
    silent,
    notReady: unready.map(({ name }) => name),
  };
}

/** A component that could not be looked at. */
export function notKnown(name: string, reason: string): HealthComponent {
  return { name, status: 'failed', message: `not known: ${reason}` };
}

function sinceWhen({ oldestWaitingMs }: QueuePulse, before = ', the oldest for'): string {
  return oldestWaitingMs === null ? '' : `${before} ${formatDuration(oldestWaitingMs)}`;
}

function sumOf(queues: readonly QueuePulse[], read: (queue: QueuePulse) => number): number {
  return queues.reduce((total, queue) => total + read(queue), 0);
}

function countJobs(count: number): string {
  return count === 1 ? '1 job waits' : `${count} jobs wait`;
}

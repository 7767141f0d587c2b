import { countOf } from '../counted.ts';
import { formatDuration } from '../duration.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

export interface CheckedWorker {
  readonly name: string;
  /** Of tq. */
  readonly version: string;
  /** Of Node. */
  readonly node: string;
  /** How far its clock is ahead of this machine's, in milliseconds, give or take the time of its answer. */
  readonly skewMs: number;
  /** Why it is not ready. */
  readonly problems: readonly string[];
}

/** Delays, expiries and locks are reckoned by the clocks of those that write them. */
const NOTED_SKEW_MS = 1000;
const BAD_SKEW_MS = 30_000;
const CLOCK_FIX = 'set the clocks by NTP (chrony, systemd-timesyncd)';

/** @param silent live workers that did not answer */
export function checkWorkers(workers: readonly CheckedWorker[], silent: readonly string[]): Finding[] {
  const unready = workers.filter(({ problems }) => problems.length > 0);
  return [
    silent.length === 0
      ? ok(
          'workers',
          workers.length === 0 ? 'no worker of tq is live' : `${countOf(workers.length, 'worker')} answered`,
        )
      : warning(
          'workers',
          `no answer from ${silent.join(', ')}: hung, or with an event loop that a task blocks`,
          'look at their processes; `tq inspect active` shows what the others run',
        ),
    ...unready.map(({ name, problems }) =>
      warning('workers', `${name} is not ready: ${problems.join('; ')}`, `look at the log of ${name}`),
    ),
    ...(workers.length === 0 ? [] : [checkVersions(workers), checkWorkerClocks(workers)]),
  ];
}

function checkVersions(workers: readonly CheckedWorker[]): Finding {
  const versions = [...Map.groupBy(workers, ({ version }) => version)];
  if (versions.length === 1) return ok('versions', `all workers run tq ${versions[0]?.[0]}`);
  const mixed = versions.map(([version, group]) => `${version} (${group.map(({ name }) => name).join(', ')})`);
  return warning(
    'versions',
    `the workers run different versions of tq: ${mixed.join(', ')}`,
    'finish the deploy: restart the older ones',
  );
}

function checkWorkerClocks(workers: readonly CheckedWorker[]): Finding {
  const off = workers.filter(({ skewMs }) => Math.abs(skewMs) >= NOTED_SKEW_MS);
  if (off.length === 0) return ok('worker-clocks', 'the clocks of the workers agree with that of this machine');
  const message = off.map(({ name, skewMs }) => `${name} is ${describeSkew(skewMs)}`).join(', ');
  const isBad = off.some(({ skewMs }) => Math.abs(skewMs) >= BAD_SKEW_MS);
  return (isBad ? failed : warning)('worker-clocks', `clocks differ from that of this machine: ${message}`, CLOCK_FIX);
}

/** @param skewMs how far the clock of the broker's server is ahead of this machine's; null when it is the same clock */
export function checkBrokerClock(skewMs: number | null): Finding {
  if (skewMs === null) return ok('broker-clock', 'the broker has the clock of this machine');
  const size = Math.abs(skewMs);
  if (size < NOTED_SKEW_MS) return ok('broker-clock', "the broker's clock agrees with that of this machine");
  const message = `the broker's clock is ${describeSkew(skewMs)} of this machine's: jobs are due too early or too late`;
  return (size >= BAD_SKEW_MS ? failed : warning)('broker-clock', message, CLOCK_FIX);
}

function describeSkew(skewMs: number): string {
  return `${formatDuration(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead' : 'behind'}`;
}

/** @param version of Node, as `process.version` has it */
export function checkNode(version: string): Finding {
  const [major = 0] = version.slice(1).split('.').map(Number);
  const message = `this is Node ${version}`;
  // An odd major number never gets long-term support.
  if (major % 2 === 0) return ok('node', message);
  return warning('node', `${message}, which has no long-term support`, 'use a Node with an even major number');
}

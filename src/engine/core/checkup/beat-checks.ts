import { countOf, nameSome } from '../counted.ts';
import { formatDuration } from '../duration.ts';
import { formatFiringId, OVERDUE_MS } from '../schedule/firing.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

/** A schedule entry as the check sees it. */
export interface CheckedEntry {
  readonly name: string;
  readonly queue: string | null;
  readonly enabled: boolean;
  /** When it fires next, or should have; null when it does not fire any more. Epoch ms. */
  readonly nextAt: number | null;
  /** It has a job scheduler; whether that has its next job, another check says. */
  readonly isArmed: boolean;
  /** Why it cannot be read; null when it can. */
  readonly error: string | null;
}

export interface CheckedEntries {
  readonly entries: readonly CheckedEntry[];
  /** Name of the beat that leads; null when none does. */
  readonly leader: string | null;
  readonly now: number;
}

/** Each has a line of its own, up to so many. */
const NAMED = 5;
const ENTRIES = ['schedule entry', 'schedule entries'] as const;
const FIX = 'start `tq beat`, or a worker with `tq worker --beat`';

/** Whether schedule entries fire, and go on firing. */
export function checkBeat({ entries, leader, now }: CheckedEntries): Finding[] {
  const firing = entries.filter(({ enabled, nextAt }) => enabled && nextAt !== null);
  const faults = [
    ...checkLeader(firing, leader),
    ...checkArmed(firing, leader),
    ...checkOverdue(firing, now),
    ...checkReadable(entries),
  ];
  if (faults.length > 0) return faults;
  const paused = entries.filter(({ enabled, error }) => !enabled && error === null).map(({ name }) => name);
  const resting = paused.length === 0 ? '' : `; paused: ${nameSome(paused)}`;
  if (entries.length === 0) return [ok('beat', 'there are no schedule entries to keep')];
  if (firing.length === 0)
    return [ok('beat', `none of ${countOf(entries.length, ...ENTRIES)} fires any more${resting}`)];
  return [ok('beat', `${leader} keeps ${countOf(firing.length, ...ENTRIES)}, and none is overdue${resting}`)];
}

function checkLeader(firing: readonly CheckedEntry[], leader: string | null): Finding[] {
  if (firing.length === 0 || leader !== null) return [];
  const message = `no beat leads, and there ${firing.length === 1 ? 'is' : 'are'} ${countOf(firing.length, ...ENTRIES)}: they go on only while workers take their firings`;
  return [warning('beat', message, FIX)];
}

function checkArmed(firing: readonly CheckedEntry[], leader: string | null): Finding[] {
  const missing = firing.filter(({ isArmed }) => !isArmed).map(({ name }) => name);
  if (missing.length === 0) return [];
  const message = `${countOf(missing.length, ...ENTRIES)} of which no next firing is stored: ${nameSome(missing)}`;
  if (leader === null) return [failed('beat', message, `${FIX}: it stores them again`)];
  return [warning('beat', `${message}; ${leader} stores them again`, 'wait half a minute, and look again')];
}

function checkOverdue(firing: readonly CheckedEntry[], now: number): Finding[] {
  const overdue = firing.filter(({ nextAt, isArmed }) => isArmed && now - (nextAt ?? now) > OVERDUE_MS);
  const shown = overdue.slice(0, NAMED).map(({ name, queue, nextAt }) => {
    const dueAt = nextAt ?? now;
    const message = `schedule entry "${name}" is overdue: its firing was due ${formatDuration(now - dueAt)} ago and has not started`;
    const why = `tq why ${formatFiringId(name, dueAt)}${queue === null ? '' : ` -Q ${queue}`}`;
    return warning('beat', message, `\`${why}\` says what it waits for`);
  });
  const rest = overdue.length - shown.length;
  if (rest === 0) return shown;
  return [
    ...shown,
    warning('beat', `${countOf(rest, ...ENTRIES)} more overdue`, '`tq schedule list --sort next` lists them first'),
  ];
}

function checkReadable(entries: readonly CheckedEntry[]): Finding[] {
  return entries
    .filter(({ error }) => error !== null)
    .slice(0, NAMED)
    .map(({ name, error }) => warning('beat', error ?? '', `\`tq schedule remove ${name}\`, and add it again`));
}

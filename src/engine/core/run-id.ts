import { randomInt } from 'node:crypto';

/**
 * The id of a run of an operation, short enough to be typed: its time in milliseconds and four random characters, both in base 36, so that
 * ids sort by time (until 2059, when the time gets a ninth character).
 *
 * @param now epoch milliseconds
 */
export function createRunId(now: number): string {
  return `${now.toString(36)}-${randomInt(36 ** 4)
    .toString(36)
    .padStart(4, '0')}`;
}

/** When the run of this id began, epoch milliseconds; undefined for what is no such id. */
export function readRunTime(id: string): number | undefined {
  const [, time] = /^([0-9a-z]{8})-[0-9a-z]{4}$/.exec(id) ?? [];
  return time === undefined ? undefined : Number.parseInt(time, 36);
}

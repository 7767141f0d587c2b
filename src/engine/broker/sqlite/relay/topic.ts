import { RelayError, RelayErrorCode } from 'bullmq';
import { asRefusal } from '../refusal.ts';

/**
 * The grammar of topics and ids, as BullMQ's relay has it in every store.
 *
 * A topic is segments with dots between them, as `queues.emails.jobs.42.progress`. A pattern may also have `*`, which
 * stands for one segment, and at its end `>`, which stands for one or more.
 */

const MAX_LENGTH = 512;
const MAX_SEGMENTS = 16;
const SEGMENT = /^[A-Za-z0-9_:%-]+$/;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** @throws RelayError InvalidTopic */
export function assertTopic(topic: string): void {
  if (!isTopic(topic, false)) throw relayRefusal(RelayErrorCode.InvalidTopic, topic);
}

/** @throws RelayError InvalidPattern */
export function assertPattern(pattern: string): void {
  if (!isTopic(pattern, true)) throw relayRefusal(RelayErrorCode.InvalidPattern, pattern);
}

/**
 * @param detail what the error names; BullMQ names the pattern where a subscription's ids are wrong
 * @throws RelayError InvalidId
 */
export function assertRelayIds(ids: readonly string[], detail: string): void {
  const areValid = ids.every((id) => typeof id === 'string' && ID.test(id));
  if (!areValid) throw relayRefusal(RelayErrorCode.InvalidId, detail);
}

/** @param pattern a valid one */
export function hasWildcard(pattern: string): boolean {
  return pattern.includes('*') || pattern.endsWith('>');
}

/** An operation's answer that nothing was done, with BullMQ's code and text. */
export function relayRefusal(code: RelayErrorCode, detail: string): RelayError {
  return asRefusal(new RelayError(code, detail));
}

function isTopic(value: string, allowWildcards: boolean): boolean {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return false;
  const segments = value.split('.');
  if (segments.length > MAX_SEGMENTS) return false;
  return segments.every((segment, index) => {
    if (allowWildcards && segment === '*') return true;
    if (allowWildcards && segment === '>') return index === segments.length - 1;
    return SEGMENT.test(segment);
  });
}

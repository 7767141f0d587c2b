import type { AlertNotice, AlertSample } from '../../engine/core/alert-notice.ts';
import type { AlertRule } from '../../engine/core/alert-rule.ts';
import { formatDuration } from '../../engine/core/duration.ts';
import { escapeControl } from '../../engine/core/escape.ts';

/** What is posted to a webhook, as JSON. docs/alerts.md shows it: a field more is no break, one less is. */
export interface AlertPayload {
  /** Of the alert: the same when it comes twice, because the answer to the first was lost. */
  readonly id: string;
  /** All of it in one line, where chat rooms look for the text of a message. */
  readonly text: string;
  readonly rule: string;
  /** Dead letters of the window when the alert was noticed: the threshold, or a few more. */
  readonly count: number;
  readonly threshold: number;
  /** Such as `5m`. */
  readonly window: string;
  readonly windowMs: number;
  /** ISO 8601. */
  readonly first: string;
  readonly last: string;
  /** What all counted dead letters share; null where they may differ. */
  readonly queue: string | null;
  readonly task: string | null;
  readonly fingerprint: string | null;
  /** Of the sample. */
  readonly error: AlertSample['error'];
  /** The dead letter that made it an alert. */
  readonly sample: Omit<AlertSample, 'error'>;
  /** What to type to see more. */
  readonly commands: readonly string[];
}

/** An error's text may be of 8 kB, and a chat room shows little of it. */
const MOST_SHOWN = 300;

/** @param rule of the alert, where it is known: its patterns narrow the commands */
export function createPayload(notice: AlertNotice, rule: AlertRule | undefined): AlertPayload {
  const { id, count, threshold, windowMs, firstAt, lastAt, queue, task, fingerprint } = notice;
  const { error, ...sample } = notice.sample;
  const toIso = (at: number): string => new Date(at).toISOString();
  return {
    id,
    text: describeAlert(notice),
    rule: notice.rule,
    count,
    threshold,
    window: formatDuration(windowMs),
    windowMs,
    first: toIso(firstAt),
    last: toIso(lastAt),
    queue,
    task,
    fingerprint,
    error,
    sample,
    commands: listCommands(notice, rule),
  };
}

function describeAlert({ rule, count, windowMs, queue, task, fingerprint, sample }: AlertNotice): string {
  const shared = [
    queue === null ? [] : [`queue ${queue}`],
    task === null ? [] : [`task ${task}`],
    fingerprint === null ? [] : [`fingerprint ${fingerprint}`],
  ].flat();
  const of = shared.length === 0 ? '' : ` of ${shared.join(', ')}`;
  const { name, message } = sample.error;
  const what = `${count} dead ${count === 1 ? 'letter' : 'letters'}${of} within ${formatDuration(windowMs)}`;
  const text = escapeControl(`tq: ${what} (alert "${rule}"). Last: ${sample.task}: ${name}: ${message}`);
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}

function listCommands(notice: AlertNotice, rule: AlertRule | undefined): string[] {
  const terms = (['queue', 'task', 'fingerprint'] as const).flatMap((field) => {
    const shared = notice[field];
    const patterns = rule?.[field] ?? [];
    if (shared !== null) return [`${field}:${quoteTerm(shared)}`];
    if (patterns.length === 0) return [];
    const each = patterns.map((pattern) => `${field}:${quoteTerm(pattern)}`);
    return [each.length === 1 ? String(each[0]) : `(${each.join(' OR ')})`];
  });
  const where = terms.length === 0 ? '' : ` --where ${quoteForShell(terms.join(' '))}`;
  return [`tq dlq stats${where}`, `tq dlq list${where}`, `tq dlq show ${quoteForShell(notice.sample.id)}`];
}

/** As docs/queries.md has it: in quotes a star is a star, so only what needs them gets them. */
function quoteTerm(value: string): string {
  return /^[\w.*?@/+-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

function quoteForShell(text: string): string {
  return /^[\w.@/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

import { defaultRepeatStrategy, type JobsOptions } from 'bullmq';
import { isRecord } from '../core/envelope.ts';
import type { NewJob } from '../core/job.ts';
import type { ChainRule } from '../core/schedule/chain.ts';
import { formatFiringId } from '../core/schedule/firing.ts';
import type { Schedule } from '../core/schedule/schedule.ts';
import { describeSchedule } from '../core/schedule/schedule-text.ts';
import { formatStoredSchedule, parseStoredSchedule } from '../core/schedule/stored-schedule.ts';
import { encodePriority } from './stored-job.ts';

/**
 * What the job of a firing carries for the next one. BullMQ copies `opts.repeat` from each job of a scheduler to the one after it;
 * the rule of the entry stands there as one text, so that no store changes its numbers or drops what is null.
 */
export interface FiringTemplate {
  readonly priority?: number;
  readonly removeOnComplete?: true;
  readonly repeat: {
    /** What other tools of BullMQ show, and what its own workers go by. */
    readonly pattern: string;
    readonly tz: string;
    /** JSON of the rule, and of how often the entry had fired before. */
    readonly tq: string;
  };
}

export interface StoredRule {
  readonly rule: ChainRule;
  readonly runsBefore: number;
}

export function toTemplate(
  { rule, runsBefore }: StoredRule,
  { priority, ignoreResult }: Pick<NewJob, 'priority' | 'ignoreResult'>,
): FiringTemplate {
  const { schedule, missed, overlap } = rule;
  const tq = JSON.stringify({ v: 1, schedule: formatStoredSchedule(schedule), missed, overlap, runsBefore });
  return {
    ...(priority !== undefined && { priority: encodePriority(priority) }),
    ...(ignoreResult === true && { removeOnComplete: true }),
    repeat: { pattern: toPattern(schedule), tz: schedule.timezone, tq },
  };
}

/** The template in the options of a job, or of a scheduler; undefined for those that plain BullMQ made. */
export function readTemplate(options: unknown): FiringTemplate | undefined {
  if (!isRecord(options) || !isRecord(options.repeat)) return undefined;
  const { pattern, tz, tq } = options.repeat;
  if (typeof pattern !== 'string' || typeof tz !== 'string' || typeof tq !== 'string') return undefined;
  const { priority, removeOnComplete } = options;
  return {
    ...(typeof priority === 'number' && priority > 0 && { priority }),
    ...(removeOnComplete === true && { removeOnComplete }),
    repeat: { pattern, tz, tq },
  };
}

/** @throws an error for a rule that another version wrote */
export function parseRule({ repeat }: FiringTemplate, entry: string): StoredRule {
  const stored: unknown = JSON.parse(repeat.tq);
  if (!isRecord(stored) || stored.v !== 1) throw new Error('the rule was stored by a newer tq');
  const { schedule, missed, overlap, runsBefore } = stored as unknown as StoredRule & ChainRule;
  return { rule: { schedule: parseStoredSchedule(schedule, entry), missed, overlap }, runsBefore };
}

/** The options of one firing, as BullMQ's JobScheduler puts them. */
export function toFiringOptions(
  { repeat, ...template }: FiringTemplate,
  firing: { readonly id: string; readonly dueAt: number; readonly made: number; readonly now: number },
): Readonly<Record<string, unknown>> {
  const { id, dueAt, made, now } = firing;
  return {
    ...template,
    repeat: { ...repeat, count: made },
    jobId: formatFiringId(id, dueAt),
    delay: Math.max(0, dueAt - now),
    timestamp: now,
    prevMillis: dueAt,
    repeatJobKey: id,
  };
}

/** How often the scheduler of a job had fired, that job included. */
export function madeOf(options: JobsOptions): number {
  const { repeat } = options as { repeat?: { count?: unknown } };
  return typeof repeat?.count === 'number' ? repeat.count : 1;
}

/** BullMQ asks for the next due time of a scheduler: for those of tq, the consumer decides it in its place (chain-step.ts). */
export function repeatStrategy(
  millis: number,
  options: Parameters<typeof defaultRepeatStrategy>[1],
): ReturnType<typeof defaultRepeatStrategy> {
  return readTemplate({ repeat: options }) === undefined ? defaultRepeatStrategy(millis, options) : millis + 1;
}

const FIELD = '(?:[\\d*,/-]|sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)+';
/** Five or six fields of numbers and names, which mean the same to BullMQ. */
const PLAIN = new RegExp(`^${FIELD}(?: ${FIELD}){4,5}$`, 'i');

/**
 * The cron expression where plain BullMQ understands it. Anything else is a text that says what the schedule is and that BullMQ refuses:
 * a worker of plain BullMQ then complains instead of firing at other times.
 */
function toPattern(schedule: Schedule): string {
  const { rule } = schedule;
  if (rule.kind === 'cron' && PLAIN.test(rule.text)) return rule.text;
  return `tq: ${describeSchedule(schedule)}`;
}

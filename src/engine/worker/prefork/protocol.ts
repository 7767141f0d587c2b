/**
 * What a worker and one of its children say to each other: one message a line, in UTF-8, over a pipe of their own.
 *
 *     parent                                   child
 *     start   what to load, how to log    →
 *                                         ←    ready, or failed with the error
 *     run     a job                       →
 *                                         ←    ask      store progress, read the job's log, add a
 *                                                       member to its group
 *     answer                              →
 *     abort   a limit, a revocation, or   →
 *             the shutdown
 *                                         ←    a log line, as it is to be written
 *                                         ←    ended    with the outcome
 *     leave                               →    runs `processStop` and ends
 *
 * Jobs and asks carry numbers, so that what comes late is known as that. Whatever cannot be read is the end of the child:
 * user code may have written into the pipe, and nothing that follows could be trusted.
 */
import type { AlertRule } from '../../core/alert-rule.ts';
import type { Meta } from '../../core/envelope.ts';
import { isRecord } from '../../core/envelope.ts';
import type { Outcome, StoredError } from '../../core/job.ts';
import type { RetryPolicy } from '../../core/retry-policy.ts';
import type { Revocation } from '../../core/revocation.ts';
import type { WorkflowGraph } from '../../core/workflow/graph.ts';
import type { LogShape } from '../../runtime/log-relay.ts';

/** What a child needs to run the tasks of an app as its parent would. */
export interface ChildSettings {
  /** Absolute path of the module that exports the app. */
  readonly module: string;
  /** The broker that the app of the parent uses, for calls that tasks make; may hold a password. */
  readonly brokerUrl: string | null;
  /** Its result store, for results that tasks ask for; may hold a password. */
  readonly resultsUrl: string | null;
  /** The alerts of its worker; they may hold secrets. */
  readonly alerts: readonly AlertRule[];
  readonly worker: string;
  readonly queues: readonly string[];
  readonly log: LogShape;
  readonly unknownTasks: Omit<RetryPolicy, 'on' | 'except'>;
  readonly maxWorkerLost: number;
  /** Say with outcomes how much memory is used. */
  readonly reportsMemory: boolean;
}

/** The facts of a job that its attempt needs. */
export interface HandedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly args: readonly unknown[];
  readonly meta: Meta;
  readonly createdAt: number;
  readonly attempts: number;
  /** Of a firing alone. */
  readonly isPutBack?: boolean;
}

export type AbortReason =
  | { readonly code: 'SOFT_TIME_LIMIT'; readonly limitMs: number }
  | { readonly code: 'WORKER_STOPPING' }
  | { readonly code: 'TASK_REVOKED'; readonly revocation: Revocation };

export type ToChild =
  | { readonly kind: 'start'; readonly settings: ChildSettings }
  | { readonly kind: 'run'; readonly run: number; readonly job: HandedJob }
  | { readonly kind: 'abort'; readonly run: number; readonly reason: AbortReason }
  | { readonly kind: 'answer'; readonly ask: number; readonly value?: unknown; readonly error?: StoredError }
  | { readonly kind: 'leave' };

/** What a child wants of its job's store. */
export type Question =
  | { readonly about: 'progress'; readonly value: unknown }
  | { readonly about: 'rows' }
  | { readonly about: 'member'; readonly graph: WorkflowGraph };

export interface StartFailure {
  /** Of an error of the catalogue. */
  readonly code: string | null;
  readonly message: string;
  readonly next: string | null;
}

export type FromChild =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly failure: StartFailure }
  | {
      readonly kind: 'ended';
      readonly run: number;
      readonly outcome: Outcome;
      /** Resident memory in bytes, when it was looked at. */
      readonly memory?: number;
      /** What the task left behind makes the child unfit for another one. */
      readonly unfit?: string;
      /** Something was printed meanwhile, which may still be in its pipe. */
      readonly printed?: boolean;
    }
  | { readonly kind: 'ask'; readonly ask: number; readonly run: number; readonly question: Question }
  /** An error that nothing caught, which ends the process unless the application does otherwise. */
  | { readonly kind: 'uncaught'; readonly error: StoredError }
  | { readonly kind: 'line'; readonly line: string };

/** What a child ends with when a task has broken what tq itself runs on there: its word about the job cannot be trusted. */
export const EXIT_FAULT = 70;

/** What a child says on stderr before it ends because the pipe to its parent has. */
export const PIPE_ENDED = 'the pipe to the worker has ended';

/** Log lines are JSON already; the mark in front keeps them from being encoded once more. */
const LINE_MARK = 'L';

export function encodeLine(line: string): string {
  return `${LINE_MARK}${line}`;
}

/** As they were before a task could replace them. */
const { parse, stringify } = JSON;

export function encodeMessage(message: ToChild | Exclude<FromChild, { kind: 'line' }>): string {
  return `${stringify(message)}\n`;
}

/** Reads what a parent wrote: tq's own words, which nobody else can have written. */
export function decodeFromParent(text: string): ToChild {
  return parse(text) as ToChild;
}

/** Reads what a child wrote; undefined for anything that a child of this version does not write. */
export function decodeFromChild(text: string): FromChild | undefined {
  if (text.startsWith(LINE_MARK)) {
    return isLogLine(text) ? { kind: 'line', line: `${text.slice(LINE_MARK.length)}\n` } : undefined;
  }
  try {
    const message: unknown = parse(text);
    return isFromChild(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

/** It goes into the log unread, so it must at least be one line, with braces around. */
function isLogLine(text: string): boolean {
  return text.charAt(LINE_MARK.length) === '{' && text.endsWith('}') && !CONTROL.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f]/;

function isFromChild(message: unknown): message is FromChild {
  if (!isRecord(message)) return false;
  switch (message.kind) {
    case 'ready':
      return true;
    case 'failed':
      return isRecord(message.failure) && typeof message.failure.message === 'string';
    case 'ended':
      return Number.isInteger(message.run) && isOutcome(message.outcome) && isMemory(message.memory);
    case 'ask':
      return Number.isInteger(message.ask) && Number.isInteger(message.run) && isQuestion(message.question);
    case 'uncaught':
      return isStoredError(message.error);
    default:
      return false;
  }
}

function isOutcome(outcome: unknown): outcome is Outcome {
  if (!isRecord(outcome)) return false;
  switch (outcome.kind) {
    case 'succeeded':
    case 'released':
      return true;
    case 'retry':
      return isWait(outcome.delayMs) && isStoredError(outcome.error);
    case 'dead':
      return isStoredError(outcome.error);
    case 'ended':
      return (outcome.state === 'IGNORED' || outcome.state === 'REVOKED') && typeof outcome.reason === 'string';
    case 'replaced':
      return isRecord(outcome.graph) && Array.isArray(outcome.graph.nodes);
    case 'postponed':
      return isWait(outcome.delayMs) && typeof outcome.note === 'string';
    default:
      return false;
  }
}

function isStoredError(error: unknown): error is StoredError {
  return isRecord(error) && typeof error.name === 'string' && typeof error.message === 'string';
}

function isQuestion(question: unknown): question is Question {
  if (!isRecord(question)) return false;
  if (question.about === 'member') return isRecord(question.graph) && Array.isArray(question.graph.nodes);
  return question.about === 'progress' || question.about === 'rows';
}

function isWait(ms: unknown): boolean {
  return typeof ms === 'number' && ms >= 0;
}

function isMemory(bytes: unknown): boolean {
  return bytes === undefined || typeof bytes === 'number';
}

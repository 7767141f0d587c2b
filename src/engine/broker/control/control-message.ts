import type { ControlAnswer } from '../control-port.ts';

/**
 * The messages of the control bus, and its topics.
 *
 * Newer versions may add fields, which older ones pass by. A message whose version is not ours is ignored: it is better not
 * to obey than to obey something else.
 */

const VERSION = 1;

/** BullMQ's relay counts the bytes of a message as JSON. */
export const MAX_MESSAGE_BYTES = 512 * 1024;

export const ALL_WORKERS = 'control.all';

/** What goes to one worker alone. */
export function workerTopic(nodeId: string): string {
  return `control.worker.${nodeId}`;
}

/** What goes back to one asker; without a ticket the pattern of all its answers. */
export function replyTopic(nodeId: string, ticket = '*'): string {
  return `control.reply.${nodeId}.${ticket}`;
}

export interface RequestMessage {
  readonly v: typeof VERSION;
  readonly command: string;
  readonly args: unknown;
  /** The topic that the answer goes to. */
  readonly replyTo: string;
}

export interface AnswerMessage {
  readonly v: typeof VERSION;
  /** The id of the node that answers. */
  readonly node: string;
  readonly answer: ControlAnswer;
}

export function createRequest(command: string, args: unknown, replyTo: string): RequestMessage {
  return { v: VERSION, command, args, replyTo };
}

export function createAnswer(node: string, answer: ControlAnswer): AnswerMessage {
  return { v: VERSION, node, answer };
}

/** Why a message is no request of ours; undefined for one that is. */
export function findRequestFault(data: unknown): string | undefined {
  const fault = findFault(data);
  if (fault !== undefined) return fault;
  const { command, replyTo } = data as Partial<RequestMessage>;
  if (typeof command !== 'string' || command === '') return 'it names no command';
  if (typeof replyTo !== 'string' || !/^control\.reply\.[\w-]+\.[\w-]+$/.test(replyTo)) return 'it has no reply topic';
  return undefined;
}

/** Why a message is no answer of ours; undefined for one that is. */
export function findAnswerFault(data: unknown): string | undefined {
  const fault = findFault(data);
  if (fault !== undefined) return fault;
  const { node, answer } = data as Partial<AnswerMessage>;
  if (typeof node !== 'string') return 'it names no node';
  if (typeof answer !== 'object' || answer === null) return 'it holds no answer';
  if (answer.ok === true) return undefined;
  const error: unknown = answer.ok === false ? answer.error : undefined;
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error
    ? undefined
    : 'its answer is neither a value nor an error';
}

function findFault(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'it is no object';
  const { v } = data as { v?: unknown };
  return v === VERSION ? undefined : `its version is ${v === undefined ? 'missing' : JSON.stringify(v)}`;
}

export function sizeOf(message: unknown): number {
  return Buffer.byteLength(JSON.stringify(message));
}

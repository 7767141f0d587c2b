import type { Relay } from 'bullmq';
import { createError, messageOf, TqError } from '../../core/errors.ts';
import type { ControlAnswer, ControlMember, ControlReply, ControlRequest } from '../control-port.ts';
import {
  ALL_WORKERS,
  type AnswerMessage,
  createAnswer,
  findRequestFault,
  MAX_MESSAGE_BYTES,
  type RequestMessage,
  sizeOf,
  workerTopic,
} from './control-message.ts';

/** Makes a node hear what is asked of all workers and of it alone, and answer it. */
export async function subscribeMember(relay: Relay<unknown>, member: ControlMember): Promise<void> {
  let isForeignSaid = false;
  const hear = async ({ data }: { readonly data: unknown }): Promise<void> => {
    const fault = findRequestFault(data);
    if (fault === undefined) {
      await answer(relay, member, data as RequestMessage);
    } else if (!isForeignSaid) {
      isForeignSaid = true;
      member.onForeign?.(fault);
    }
  };
  await Promise.all([relay.subscribe(ALL_WORKERS, hear), relay.subscribe(workerTopic(member.id), hear)]);
}

async function answer(relay: Relay<unknown>, member: ControlMember, message: RequestMessage): Promise<void> {
  const { reply, error } = await obey(member, message);
  try {
    const whole = createAnswer(member.id, reply === undefined ? toFailure(error) : { ok: true, value: reply.value });
    await relay.publish(message.replyTo, toSendable(whole, member.name, message.command));
  } catch (thrown) {
    member.onTrouble?.(thrown as Error);
  } finally {
    reply?.afterwards?.();
  }
}

async function obey(
  member: ControlMember,
  { command, args }: ControlRequest,
): Promise<{ readonly reply?: ControlReply; readonly error?: unknown }> {
  try {
    return { reply: await member.handle({ command, args }) };
  } catch (error) {
    return { error };
  }
}

/** The answer, or an error in its place when it cannot be sent: the asker must not take the worker for silent. */
function toSendable(message: AnswerMessage, worker: string, command: string): AnswerMessage {
  try {
    const bytes = sizeOf(message);
    if (bytes <= MAX_MESSAGE_BYTES) return message;
    const error = createError('REPLY_TOO_LARGE', { worker, command, bytes, limit: MAX_MESSAGE_BYTES });
    return createAnswer(message.node, toFailure(error));
  } catch (error) {
    return createAnswer(message.node, toFailure(error));
  }
}

/** Long messages are cut, so that an error is never what is too large. */
const MAX_ERROR_LENGTH = 10_000;

function toFailure(thrown: unknown): ControlAnswer {
  const isOurs = thrown instanceof TqError;
  const message = isOurs ? `${thrown.message} (${thrown.next})` : messageOf(thrown);
  return { ok: false, error: { code: isOurs ? thrown.code : 'INTERNAL', message: message.slice(0, MAX_ERROR_LENGTH) } };
}

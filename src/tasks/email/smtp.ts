import type { NodemailerError } from 'nodemailer';
import { createError, messageOf } from '../../engine/core/errors.ts';
import { escapeControl } from '../../engine/core/escape.ts';
import { emailRefusal } from '../refusal.ts';
import type { EmailResult } from './email-result.ts';
import type { Message } from './message.ts';

/**
 * Hands a message to a mail server, over a connection of its own.
 *
 * When the server takes the message for at least one recipient, it is sent: the result lists the others as rejected, and
 * nothing is retried, because a retry would send the message again to those who have it.
 *
 * @param server its URL, how it is shown to people, and who the message goes to, for errors
 * @throws EMAIL_REFUSED when the same message would be refused again; EMAIL_FAILED when a retry may help
 */
export async function sendBySmtp(
  message: Message,
  server: { url: string; shown: string; to: string },
  signal: AbortSignal | undefined,
): Promise<EmailResult> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ url: server.url, disableFileAccess: true, disableUrlAccess: true });
  try {
    const sent = await transport.sendMail({ ...message, ...(signal !== undefined && { signal }) });
    return { messageId: sent.messageId, accepted: sent.accepted, rejected: sent.rejected, outbox: null };
  } catch (error) {
    signal?.throwIfAborted();
    const reason = escapeControl(messageOf(error));
    if (isPermanent(error as NodemailerError)) {
      throw emailRefusal(server.to, `${server.shown} refused it: ${reason}`, error);
    }
    throw createError('EMAIL_FAILED', { to: escapeControl(server.to), server: server.shown, reason }, error);
  } finally {
    transport.close();
  }
}

/**
 * RFC 5321: a 5yz reply is final, a 4yz reply and a broken connection are not. A refused login (535) is a 5yz reply and so
 * final, too: waiting does not mend a password, and a dead letter is seen at once. When every recipient was refused, one
 * of them for now, a retry may still reach that one. Without a reply the fault is in the connection, unless nodemailer
 * itself found that the message or its settings can never be sent.
 */
function isPermanent(error: NodemailerError): boolean {
  const rejections = error.rejectedErrors ?? [];
  if (rejections.length > 0) return rejections.every((rejection) => rejection.permanent === true);
  return error.permanent ?? UNSENDABLE.has(error.code ?? '');
}

const UNSENDABLE = new Set([
  'EAUTH',
  'ECONFIG',
  'EENVELOPE',
  'EFILEACCESS',
  'EMAXRECIPIENTS',
  'EMESSAGE',
  'ENOAUTH',
  'EURLACCESS',
]);

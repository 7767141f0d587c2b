import { join } from 'node:path';
import { prepareOutput } from '../allowed-root.ts';
import { writeAtomically } from '../atomic-file.ts';
import type { EmailResult } from './email-result.ts';
import type { Message } from './message.ts';

/**
 * Writes a message as it would be sent (RFC 5322) to a file of the outbox, with its Bcc line, since there is no envelope.
 * File names sort by time: `2026-03-01T09-30-00.000Z-1f2e3d4c.eml`.
 */
export async function writeToOutbox(message: Message, folder: string): Promise<EmailResult> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const composed = await transport.sendMail({ ...message });
  const name = fileName(message);
  const place = await prepareOutput(folder, { doing: 'writing to the outbox', path: name });
  await writeAtomically(place, composed.message as Buffer);
  return { messageId: composed.messageId, accepted: composed.envelope.to, rejected: [], outbox: join(folder, name) };
}

/** Colons cannot stand in a file name everywhere; the id keeps two e-mails of one millisecond apart. */
function fileName(message: Message): string {
  return `${message.date.toISOString().replaceAll(':', '-')}-${message.messageId.slice(1, 9)}.eml`;
}

import { createHash, randomUUID } from 'node:crypto';
import { emailRefusal } from '../refusal.ts';
import { describeRecipients, listAddresses, type Mailbox, parseMailbox } from './addresses.ts';
import { type AttachmentLimits, type LoadedAttachment, loadAttachments } from './attachments.ts';
import type { Address, EmailInput } from './email-input.ts';
import { assertHeaders, assertHeaderText } from './header-text.ts';
import { renderTemplate, type Template } from './template.ts';
import { readTemplate } from './template-folder.ts';

/** A message as nodemailer takes it, with every text checked and every file read. */
export interface Message {
  readonly from: Mailbox;
  readonly to: Mailbox[];
  readonly cc: Mailbox[];
  readonly bcc: Mailbox[];
  readonly replyTo: Mailbox[];
  readonly subject: string;
  readonly text?: string;
  readonly html?: string;
  readonly attachments: LoadedAttachment[];
  readonly headers: Record<string, string>;
  readonly messageId: string;
  readonly date: Date;
}

export interface MessageSettings {
  /** Sender of an e-mail that names none. */
  readonly from: string | undefined;
  /** Folder of own templates. */
  readonly templates: string | undefined;
  readonly attachments: AttachmentLimits;
}

/**
 * Composes the message of an e-mail.
 *
 * @param sending the job that sends it, if there is one, and the instant in epoch milliseconds
 * @throws EMAIL_REFUSED, FILE_REFUSED
 */
export async function composeMessage(
  input: EmailInput,
  settings: MessageSettings,
  sending: { jobId: string | undefined; at: number },
): Promise<Message> {
  const to = describeRecipients(input.to);
  const list = (field: string, given: Address | readonly Address[] | undefined): Mailbox[] =>
    listAddresses(given).map((one) => parseMailbox(one, field, to));
  const from = parseMailbox(senderOf(input, settings, to), 'from', to);
  const body = await composeBody(input, settings, to);
  assertHeaderText(body.subject, 'the subject', to);
  const headers = input.headers ?? {};
  assertHeaders(headers, to);
  return {
    from,
    to: list('to', input.to),
    cc: list('cc', input.cc),
    bcc: list('bcc', input.bcc),
    replyTo: list('replyTo', input.replyTo),
    ...body,
    attachments: await loadAttachments(input.attachments ?? [], settings.attachments, to),
    headers: { ...headers },
    messageId: messageIdOf(input, sending.jobId, from),
    date: new Date(sending.at),
  };
}

function senderOf(input: EmailInput, settings: MessageSettings, to: string): Address {
  const from = input.from ?? settings.from;
  if (from === undefined) {
    throw emailRefusal(to, 'it has no sender; give `from`, or set EMAIL_FROM or `builtins.email.from` for all e-mails');
  }
  return from;
}

async function composeBody(
  input: EmailInput,
  settings: MessageSettings,
  to: string,
): Promise<Template & { subject: string }> {
  const body =
    input.template === undefined ? pickBody(input) : await fillTemplate(input.template, input, { settings, to });
  const subject = input.subject ?? body.subject;
  if (subject === undefined) throw emailRefusal(to, 'it has no subject, and its template has none');
  return { ...body, subject };
}

function pickBody({ text, html }: EmailInput): Template {
  return { ...(text !== undefined && { text }), ...(html !== undefined && { html }) };
}

async function fillTemplate(
  name: string,
  input: EmailInput,
  by: { settings: MessageSettings; to: string },
): Promise<Template> {
  const refuse = (reason: string): Error => emailRefusal(by.to, `template "${name.slice(0, 100)}": ${reason}`);
  const { subject, ...bodies } = await readTemplate(name, by.settings.templates, refuse);
  // A subject of the e-mail's own makes that of the template unneeded, and so the values that only it asks for.
  const needed = input.subject !== undefined || subject === undefined ? bodies : { ...bodies, subject };
  return renderTemplate(needed, input.context ?? {}, refuse);
}

/**
 * The same for every attempt of a job, so that a mail server can drop the copy when an attempt was lost after its message
 * was accepted. The content is part of it because one job may send several messages by calling the task as a function.
 */
function messageIdOf(input: EmailInput, jobId: string | undefined, from: Mailbox): string {
  const digest = createHash('sha256')
    .update(`${jobId ?? randomUUID()}\n${JSON.stringify(input)}`)
    .digest('hex');
  const host = from.address.slice(from.address.lastIndexOf('@') + 1);
  return `<${digest.slice(0, 32)}@${/^[\x21-\x7e]+$/.test(host) ? host : 'tq.invalid'}>`;
}

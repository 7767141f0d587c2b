import { resolve } from 'node:path';
import type { RetryOptions } from '../../engine/core/retry-policy.ts';
import { currentContext } from '../../engine/task/context.ts';
import { defineTask } from '../../engine/task/definition.ts';
import type { BuiltinEnvironment, EmailOptions } from '../builtin-options.ts';
import { emailRefusal, isRefusal } from '../refusal.ts';
import { describeRecipients } from './addresses.ts';
import { chooseDelivery } from './delivery.ts';
import { type EmailInput, emailInput, type LetterInput, letterInput } from './email-input.ts';
import type { EmailResult } from './email-result.ts';
import { composeMessage, type MessageSettings } from './message.ts';
import { writeToOutbox } from './outbox.ts';
import { sendBySmtp } from './smtp.ts';

/** A server that is down is most often back within half an hour: 1, 2, 4, 8 and 10 minutes at most, each with full jitter. */
const RETRY: RetryOptions = {
  max: 5,
  delay: '1m',
  backoff: 'exponential',
  maxDelay: '10m',
  jitter: true,
  except: isRefusal,
};

/** The e-mail tasks, set up for one app. */
export function emailTasks(options: EmailOptions, environment: BuiltinEnvironment) {
  const send = createSender(options, environment);
  const letter = (template: string, description: string) =>
    defineTask(`email.${template}`, { input: letterInput, retry: RETRY, description }, (input) =>
      send(toEmail(template, input)),
    );
  return {
    'email.send': defineTask(
      'email.send',
      { input: emailInput, retry: RETRY, description: 'Sends an e-mail: text, HTML or a template, with attachments.' },
      send,
    ),
    'email.verification': letter('verification', 'Asks a user to confirm an e-mail address.'),
    'email.password-reset': letter('password-reset', 'Sends a user the link to choose a new password.'),
    'email.welcome': letter('welcome', 'Welcomes a new user.'),
  };
}

/** What sends an e-mail of the built-in tasks, set up for one app. */
export function createSender(
  options: EmailOptions,
  environment: BuiltinEnvironment,
): (input: EmailInput) => Promise<EmailResult> {
  const delivery = chooseDelivery(options, environment);
  const settings = readSettings(options, environment, delivery.kind === 'outbox');
  const now = environment.now ?? Date.now;
  return async (input) => {
    const to = describeRecipients(input.to);
    if (delivery.kind === 'refused') throw emailRefusal(to, `e-mail is not set up: ${delivery.shown}`);
    const job = currentContext();
    const message = await composeMessage(input, settings, { jobId: job?.id, at: now() });
    job?.signal.throwIfAborted();
    return delivery.kind === 'smtp'
      ? sendBySmtp(message, { ...delivery, to }, job?.signal)
      : writeToOutbox(message, delivery.folder);
  };
}

/** Mail that only goes to files needs no real sender. */
function readSettings(options: EmailOptions, environment: BuiltinEnvironment, toFiles: boolean): MessageSettings {
  const inCwd = (path: string): string => resolve(environment.cwd, path);
  const from = options.from ?? (environment.emailFrom?.trim() || undefined);
  return {
    from: from ?? (toFiles ? 'tq@localhost' : undefined),
    templates: options.templates === undefined ? undefined : inCwd(options.templates),
    attachments: {
      root: inCwd(options.attachmentsRoot ?? '.tq/attachments'),
      limit: options.attachmentsLimit ?? 25 * 1024 * 1024,
    },
  };
}

/** A letter is an e-mail with a template; its own fields go before further values of the same name. */
function toEmail(template: string, { name, product, url, context, ...envelope }: LetterInput): EmailInput {
  return {
    ...envelope,
    template,
    context: { ...context, url, ...(name !== undefined && { name }), ...(product !== undefined && { product }) },
  };
}

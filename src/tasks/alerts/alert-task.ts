import { ALERT_TASK, type AlertNotice } from '../../engine/core/alert-notice.ts';
import type { AlertRule } from '../../engine/core/alert-rule.ts';
import { createError } from '../../engine/core/errors.ts';
import type { RetryOptions } from '../../engine/core/retry-policy.ts';
import { currentContext } from '../../engine/task/context.ts';
import { defineTask } from '../../engine/task/definition.ts';
import type { BuiltinEnvironment, EmailOptions } from '../builtin-options.ts';
import { createSender } from '../email/email-tasks.ts';
import { isRefusal } from '../refusal.ts';
import { toAlertEmail } from './alert-email.ts';
import { alertInput } from './alert-input.ts';
import { createPayload } from './payload.ts';
import { postAlert } from './webhook.ts';

/** A place that is down is tried for up to 40 minutes: soon at first, since an alert is of little use later, each with full jitter. */
const RETRY: RetryOptions = {
  max: 9,
  delay: '5s',
  backoff: 'exponential',
  maxDelay: '10m',
  jitter: true,
  except: isRefusal,
};

/** What became of an alert. */
export interface AlertResult {
  /** The status of the answer, or what the mail server gave the message as its id. */
  readonly delivered: number | string;
}

/**
 * The task that sends an alert by one way, set up for one app. Where it goes and what signs it stands in the rule alone, never in the job:
 * whoever can read jobs does not read secrets, and whoever can add jobs cannot have them sent elsewhere.
 */
export function alertTask(rules: readonly AlertRule[], options: EmailOptions, environment: BuiltinEnvironment) {
  const sendEmail = createSender(options, environment);
  const description = 'Sends an alert about dead letters.';
  return defineTask(
    ALERT_TASK,
    { input: alertInput, retry: RETRY, description, timeLimit: '1m' },
    async (notice: AlertNotice): Promise<AlertResult> => {
      const { via } = notice;
      const rule = rules.find(({ name }) => name === notice.rule);
      const payload = createPayload(notice, rule);
      if (via === 'webhook' && rule?.webhook) {
        const place = { url: rule.webhook, secret: rule.secret };
        return { delivered: await postAlert(payload, { ...place, rule: rule.name, signal: currentContext()?.signal }) };
      }
      if (via === 'email' && rule !== undefined && rule.email.length > 0) {
        return { delivered: (await sendEmail(toAlertEmail(payload, rule.email))).messageId };
      }
      // A worker of an older or newer release may have it: the job is tried again, and may come to that one.
      const reason = `the worker that took it has no such rule with ${via === 'email' ? 'an e-mail address' : 'a webhook'}`;
      throw createError('ALERT_FAILED', { rule: notice.rule, via, reason });
    },
  );
}

import type { EmailInput } from '../email/email-input.ts';
import type { AlertPayload } from './payload.ts';

const LONGEST_SUBJECT = 150;

/** An alert as an e-mail of plain text. */
export function toAlertEmail(payload: AlertPayload, to: readonly string[]): EmailInput {
  const { count, window, first, last, queue, task, fingerprint, error, sample, commands } = payload;
  const facts: readonly [string, string | null][] = [
    ['alert', payload.rule],
    ['dead letters', `${count} within ${window}`],
    ['first', first],
    ['last', last],
    ['queue', queue],
    ['task', task],
    ['fingerprint', fingerprint],
  ];
  const lines = [
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`${`${name}:`.padEnd(14)}${value}`])),
    '',
    `The last one is ${sample.id}, task ${sample.task} of queue ${sample.queue}, on worker ${sample.worker}:`,
    `  ${error.name}${error.code === null ? '' : ` [${error.code}]`}: ${error.message}`,
    '',
    'To see more:',
    ...commands.map((command) => `  ${command}`),
    '',
  ];
  const subject = payload.text.split(' Last: ')[0] ?? payload.text;
  return { to: [...to], subject: subject.slice(0, LONGEST_SUBJECT), text: lines.join('\n') };
}

import { formatAttemptLine } from '../src/engine/core/attempt-line.ts';
import { createJobId } from '../src/engine/core/job-id.ts';
import type { JobRecord } from '../src/engine/core/job-record.ts';

const BYTES = 500;
const ATTEMPTS = 3;

const FRAMES = [
  ...[1, 2, 3, 4].map(
    (at) => `    at read${at} (/srv/app/node_modules/mailer/lib/transport/connection-${at}.js:${at}21:17)`,
  ),
  ...['send', 'sendAll', 'deliver', 'run'].map(
    (name, at) => `    at async ${name} (file:///srv/app/src/mail/${name}.ts:${at}4:11)`,
  ),
  '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
  '    at async Promise.all (index 0)',
].join('\n');

/** A dead letter of one of four kinds of error, after three attempts; a bad address comes half as often as the others. */
export function createDead(number: number): JobRecord {
  const now = Date.now();
  const kinds = [
    ['TimeoutError', `no answer from smtp-${number % 97}.example.com: timeout after ${1000 + (number % 500)} ms`],
    ['TypeError', `Cannot read properties of undefined (reading 'locale')`],
    ['Error', `connect ECONNREFUSED 10.0.${number % 7}.${number % 251}:25`],
    ['BadAddress', `"user-${number}@nowhere" is no address`],
  ] as const;
  const [name, message] = kinds[number % 7 === 0 ? 3 : number % 3] as (typeof kinds)[number];
  const stacks = Array.from({ length: ATTEMPTS }, (_, index) => {
    const mark = { number: index + 1, startedAt: now, endedAt: now + 5, worker: 'tq@host' };
    return formatAttemptLine(`${name}: ${message}\n${FRAMES}`, {
      ...mark,
      end: index + 1 === ATTEMPTS ? 'dead' : 'retry',
    });
  });
  return {
    ...{ id: createJobId(now), task: 'mail.send', queue: 'mail', place: 'dead', options: {}, priority: 0 },
    data: JSON.stringify({ args: [{ number, text: 'x'.repeat(BYTES - 60) }], meta: {} }),
    ...{ createdAt: now, delayMs: 0, dueAt: null, attemptsMade: ATTEMPTS, attemptsStarted: ATTEMPTS, workersLost: 0 },
    ...{
      startedAt: now,
      finishedAt: now + 5,
      worker: 'tq@host',
      failure: message,
      stacks,
      result: null,
      progress: null,
    },
    ...{ deferredFailure: null, unique: null, schedulerId: null, parent: null, children: [], log: [] },
  };
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explainJob, explainUnknown } from '../../../../src/engine/core/why/explain-job.ts';
import { REASON_CODES } from '../../../../src/engine/core/why/reason.ts';
import { NOW } from '../../../cli/fake-broker.ts';
import { projectFolder } from '../../../support/project-folder.ts';
import { createFacts, createWorker } from './facts.ts';

const ERROR = { name: 'TypeError', message: 'no such host\nmore', code: null, stack: 's' };
const LATER = NOW + 60_000;
const RUNNING = { id: 'j', task: 'mail.send', queue: 'mail', runningMs: 90_000 };
const STARTED = { state: 'STARTED', startedAt: NOW - 90_000, attempts: 1, worker: 'tq@a' } as const;
const ENDED = { startedAt: NOW - 5000, finishedAt: NOW - 3000, attempts: 2, worker: 'tq@a' } as const;

interface Case {
  readonly title: string;
  readonly facts: Parameters<typeof createFacts>[0];
  /** All reasons, in order. */
  readonly codes: readonly string[];
  /** What the first one says. */
  readonly says: RegExp;
  readonly next?: RegExp;
  readonly until?: number | null;
}

const CASES: readonly Case[] = [
  {
    title: 'a success says when, after how many attempts and where',
    facts: { job: { state: 'SUCCESS', ...ENDED } },
    codes: ['SUCCEEDED'],
    says: /at 2031-05-01T11:59:57.000Z, after 2 attempts, the last of 2s, on tq@a$/,
    next: /tq result j/,
  },
  {
    title: 'a dead letter says its error, the first line of it',
    facts: { job: { state: 'FAILURE', ...ENDED, error: ERROR } },
    codes: ['DEAD'],
    says: /dead letter .*after 2 attempts.*: TypeError: no such host$/,
    next: /tq jobs show j.*tq jobs retry j/,
  },
  {
    title: 'a dead step names its workflow, which is what can be retried',
    facts: { job: { state: 'FAILURE', ...ENDED, error: ERROR, meta: { workflow: { id: 'w', node: 1 } } } },
    codes: ['DEAD'],
    says: /dead letter/,
    next: /tq jobs retry w/,
  },
  {
    title: 'a failed workflow leads to its step',
    facts: { job: { state: 'FAILURE', task: 'tq.workflow', ...ENDED, error: ERROR } },
    codes: ['WORKFLOW_FAILED'],
    says: /failed with a step of it/,
    next: /tq trace j/,
  },
  {
    title: 'a revoked job says by whom',
    facts: { job: { state: 'REVOKED', ...ENDED, reason: 'by ada at 2031-05-01T11:00:00.000Z' } },
    codes: ['REVOKED'],
    says: /^it was revoked by ada at 2031-05-01T11:00:00.000Z; it ended at/,
  },
  {
    title: 'a revoked job that has not been filed away still lies in its queue, and nothing else matters',
    facts: {
      job: { state: 'REVOKED', reason: 'by ada at x', revoked: { at: NOW, by: 'ada' } },
      queue: { paused: true },
    },
    codes: ['REVOKED'],
    says: /still lies in the queue/,
  },
  {
    title: 'an expired job was not run',
    facts: { job: { state: 'REVOKED', ...ENDED, reason: 'expired at 2031-05-01T11:00:00.000Z' } },
    codes: ['EXPIRED'],
    says: /^it expired at 2031-05-01T11:00:00.000Z .* was not run$/,
  },
  {
    title: 'a job that has expired and not been filed away says so first',
    facts: { job: { meta: { expiresAt: NOW - 1000 } }, queue: { paused: true } },
    codes: ['EXPIRED', 'QUEUE_PAUSED'],
    says: /expired at 2031-05-01T11:59:59.000Z/,
  },
  {
    title: 'an ignored job says why',
    facts: { job: { state: 'IGNORED', ...ENDED, reason: 'unsubscribed' } },
    codes: ['IGNORED'],
    says: /Ignore.*: unsubscribed$/,
  },
  {
    title: 'a running job says for how long, where, and how far it is',
    facts: { job: { ...STARTED, progress: { done: 3, total: 4 } }, workers: [createWorker({ running: [RUNNING] })] },
    codes: ['RUNNING'],
    says: /^attempt 1 has run for 1m 30s on tq@a, at 3\/4 \(75 %\)$/,
    next: /tq control revoke j` aborts it/,
  },
  {
    title: 'a running job that is revoked says that it will not be retried',
    facts: { job: { ...STARTED, revoked: { at: NOW, by: null } }, workers: [createWorker({ running: [RUNNING] })] },
    codes: ['RUNNING'],
    says: /revoked and will not be retried/,
  },
  {
    title: 'a job past its time limit says so first',
    facts: { job: { ...STARTED, meta: { timeLimitMs: 60_000 } }, workers: [createWorker({ running: [RUNNING] })] },
    codes: ['TIME_LIMIT_PASSED', 'RUNNING'],
    says: /time limit of 1m/,
  },
  {
    title: 'a job that a worker has taken and not begun waits for a slot there',
    facts: { job: STARTED, workers: [createWorker({ reserved: ['j'], running: [{ ...RUNNING, id: 'x' }] })] },
    codes: ['RESERVED'],
    says: /tq@a has taken it and waits for a slot; 1 job of 2 run there/,
  },
  {
    title: 'a job of the same id in another queue is another job',
    facts: {
      job: { ...STARTED, worker: 'tq@gone' },
      workers: [createWorker({ running: [{ ...RUNNING, queue: 'other' }] })],
    },
    codes: ['WORKER_GONE'],
    says: /tq@gone is gone/,
  },
  {
    title: 'the worker of a job that does not answer is named, with the end of the lock',
    facts: { job: STARTED, workers: [], silent: ['tq@a'], standing: { lockLeftMs: 20_000 } },
    codes: ['WORKER_SILENT'],
    says: /tq@a has it since 2031-05-01T11:58:30.000Z and does not answer/,
    until: NOW + 20_000,
  },
  {
    title: 'a job whose worker is gone says when another one runs it at the latest',
    facts: {
      job: { ...STARTED, worker: 'tq@gone' },
      workers: [createWorker({ lockDurationMs: 10_000 })],
      standing: { lockLeftMs: 8000 },
    },
    codes: ['WORKER_GONE'],
    says: /tq@gone is gone.*its lock runs out at 2031-05-01T12:00:08.000Z; another worker runs it again at 2031-05-01T12:00:13.000Z/,
    until: NOW + 13_000,
  },
  {
    title: 'a lost job of a queue that nobody serves is taken up by nobody',
    facts: { job: STARTED, workers: [], queue: { consumers: 0 } },
    codes: ['WORKER_GONE'],
    says: /lock has run out; no worker serves queue "mail"/,
    next: /tq worker -Q mail/,
    until: null,
  },
  {
    title: 'a lost job of a queue of BullMQ workers is taken up by one of them',
    facts: { job: STARTED, workers: [], queue: { consumers: 2 } },
    codes: ['WORKER_GONE'],
    says: /a BullMQ worker of the queue takes it up/,
  },
  {
    title: 'a job that a worker of plain BullMQ runs is running',
    facts: {
      job: { ...STARTED, worker: null },
      workers: [],
      standing: { lockLeftMs: 20_000 },
      queue: { consumers: 1 },
    },
    codes: ['RUNNING'],
    says: /a worker that is no worker of tq has it since 2031/,
  },
  {
    title: 'a scheduled job says when it is due',
    facts: { job: { state: 'SCHEDULED', dueAt: LATER } },
    codes: ['SCHEDULED'],
    says: /due at 2031-05-01T12:01:00.000Z, in 1m$/,
    until: LATER,
  },
  {
    title: 'the next firing of an entry names it',
    facts: {
      job: {
        id: `repeat:nightly:${LATER}`,
        state: 'SCHEDULED',
        dueAt: LATER,
        meta: { schedule: { entry: 'nightly' } },
      },
    },
    codes: ['SCHEDULED'],
    says: /the next firing of entry "nightly" is due at 2031-05-01T12:01:00.000Z, in 1m$/,
    until: LATER,
  },
  {
    title: 'a firing that its jitter holds says when it was due and when it starts',
    facts: {
      job: {
        id: `repeat:nightly:${NOW}`,
        state: 'SCHEDULED',
        dueAt: LATER,
        meta: { schedule: { entry: 'nightly', jitterMs: 300_000 } },
      },
    },
    codes: ['JITTER'],
    says: /^the jitter of its entry .* due at 2031-05-01T12:00:00.000Z and starts at 2031-05-01T12:01:00.000Z, in 1m; .* up to 5m after/,
    next: /tq jobs promote repeat:nightly/,
    until: LATER,
  },
  {
    title: 'a firing that waits for its retry is not held by jitter',
    facts: {
      job: {
        id: `repeat:nightly:${NOW}`,
        state: 'RETRY',
        dueAt: LATER,
        attempts: 1,
        error: ERROR,
        meta: { schedule: { entry: 'nightly', jitterMs: 300_000 } },
      },
    },
    codes: ['RETRY_DUE'],
    says: /attempt 2 is due at/,
  },
  {
    title: 'a firing that its entry kept from running says so, and not that its task did',
    facts: {
      job: { state: 'IGNORED', ...ENDED, reason: 'missed: due at x', meta: { schedule: { entry: 'nightly' } } },
    },
    codes: ['IGNORED'],
    says: /^its entry "nightly" kept it from running: missed: due at x$/,
  },
  {
    title: 'a firing whose task ignored itself says that',
    facts: { job: { state: 'IGNORED', ...ENDED, reason: 'no rows', meta: { schedule: { entry: 'nightly' } } } },
    codes: ['IGNORED'],
    says: /Ignore.*: no rows$/,
  },
  {
    title: 'a firing that expired says after which time',
    facts: { job: { state: 'REVOKED', ...ENDED, reason: 'expired at 2031-05-01T11:00:00.000Z, 1h after it was due' } },
    codes: ['EXPIRED'],
    says: /^it expired at 2031-05-01T11:00:00.000Z, 1h after it was due, before a worker could start it/,
  },
  {
    title: 'the expiry of a firing counts from its due time',
    facts: {
      job: { id: `repeat:nightly:${NOW - 2000}`, meta: { schedule: { entry: 'nightly', expiresMs: 1000 } } },
    },
    codes: ['EXPIRED', 'READY'],
    says: /expired at 2031-05-01T11:59:59.000Z/,
  },
  {
    title: 'a firing that was put back to work does not expire',
    facts: {
      job: {
        id: `repeat:nightly:${NOW - 2000}`,
        meta: { schedule: { entry: 'nightly', expiresMs: 1000 } },
        failures: [{ number: 1, end: 'dead', startedAt: 1, endedAt: 2, worker: 'w', error: ERROR, isEarlier: true }],
      },
    },
    codes: ['READY'],
    says: /nothing holds it back/,
  },
  {
    title: 'what will stop a scheduled job when it is due is said after its time',
    facts: {
      job: { state: 'SCHEDULED', dueAt: LATER },
      queue: { paused: true, consumers: 0 },
      workers: [],
      taskPausedSince: NOW - 1000,
    },
    codes: ['SCHEDULED', 'QUEUE_PAUSED', 'NO_WORKER', 'TASK_PAUSED'],
    says: /waits for its time/,
  },
  {
    title: 'whose turn it is does not matter before a job is due',
    facts: {
      job: { state: 'SCHEDULED', dueAt: LATER },
      standing: { before: null },
      workers: [createWorker({ slots: 1, running: [{ ...RUNNING, id: 'x' }] })],
    },
    codes: ['SCHEDULED'],
    says: /due at/,
  },
  {
    title: 'a job that is overdue says since when',
    facts: { job: { state: 'SCHEDULED', dueAt: NOW - 60_000 }, workers: [], queue: { consumers: 0 } },
    codes: ['OVERDUE', 'NO_WORKER'],
    says: /due 1m ago/,
    until: null,
  },
  {
    title: 'a retry says what failed and when the next attempt is',
    facts: { job: { state: 'RETRY', dueAt: LATER, attempts: 2, error: ERROR } },
    codes: ['RETRY_DUE'],
    says: /^attempt 2 failed with TypeError: no such host; attempt 3 is due at 2031-05-01T12:01:00.000Z$/,
    until: LATER,
  },
  {
    title: 'a retry that is back in its queue says what it waits for, then what failed',
    facts: { job: { state: 'RETRY', attempts: 1, error: ERROR }, queue: { paused: true } },
    codes: ['QUEUE_PAUSED', 'RETRY_DUE'],
    says: /paused/,
  },
  {
    title: 'a job that was put back names the workers that do not register its task',
    facts: { job: { state: 'SCHEDULED', dueAt: LATER }, putBackBy: ['tq@a', 'tq@b', 'tq@a'] },
    codes: ['TASK_NOT_REGISTERED'],
    says: /put back by tq@a, tq@b, and is tried again, due at/,
    until: LATER,
  },
  {
    title: 'a dead child of a plain flow is named with its error: its parent waits for it',
    facts: {
      job: { state: 'BLOCKED' },
      standing: { before: null, pending: 2 },
      children: [
        { queue: 'c', id: 'a', task: 't', state: 'STARTED', error: null },
        { queue: 'c', id: 'b', task: 't', state: 'FAILURE', error: 'Error: no' },
      ],
    },
    codes: ['CHILD_DEAD', 'CHILDREN_PENDING'],
    says: /^a child that it waits for is a dead letter: b; b failed with Error: no$/,
    next: /tq jobs retry b/,
  },
  {
    title: 'children that are gone are named: their parent would wait for ever',
    facts: {
      job: { state: 'BLOCKED' },
      standing: { before: null, pending: 1 },
      children: [{ queue: 'c', id: 'a', task: null, state: 'UNKNOWN', error: null }],
    },
    codes: ['CHILD_MISSING'],
    says: /not stored any more.*a in queue "c"/,
  },
  {
    title: 'children that wait or run are named with their states',
    facts: {
      job: { state: 'BLOCKED' },
      standing: { before: null, pending: 7 },
      children: [1, 2, 3, 4, 5, 6, 7].map((id) => ({
        ...{ queue: 'c', id: `c${id}`, task: 't', state: 'PENDING' as const, error: null },
      })),
    },
    codes: ['CHILDREN_PENDING'],
    says: /^it waits for 7 children: c1 \(t, PENDING\), .* and 2 more$/,
    next: /tq why c1/,
  },
  {
    title: 'a blocked job whose children have all ended is about to be let go',
    facts: { job: { state: 'BLOCKED' }, standing: { before: null } },
    codes: ['CHILDREN_PENDING'],
    says: /about to let it go/,
  },
  {
    title: 'a step of a revoked workflow says so first',
    facts: { workflow: { id: 'w', state: 'REVOKED' }, queue: { paused: true } },
    codes: ['WORKFLOW_CANCELLED', 'QUEUE_PAUSED'],
    says: /workflow w/,
  },
  {
    title: 'a workflow that goes on is no reason',
    facts: { workflow: { id: 'w', state: 'BLOCKED' }, queue: { paused: true } },
    codes: ['QUEUE_PAUSED'],
    says: /queue "mail" is paused/,
    next: /tq queue resume mail/,
  },
  {
    title: 'a queue that no worker serves says what the live workers serve',
    facts: { workers: [createWorker({ queues: ['low'] })], queue: { consumers: 0 } },
    codes: ['NO_WORKER'],
    says: /no worker is connected to queue "mail".*tq@a serves low/,
    next: /tq worker -Q mail/,
  },
  {
    title: 'workers of plain BullMQ are workers',
    facts: { workers: [], queue: { consumers: 3 }, standing: { before: 4 } },
    codes: ['JOBS_BEFORE'],
    says: /^4 jobs of queue "mail" come before it$/,
  },
  {
    title: 'silent workers may be those that serve the queue',
    facts: { workers: [], silent: ['tq@a'] },
    codes: ['WORKER_SILENT'],
    says: /no answer from tq@a/,
  },
  {
    title: 'a paused task says since when',
    facts: { taskPausedSince: NOW - 1000 },
    codes: ['TASK_PAUSED'],
    says: /task "mail.send" is paused since 2031-05-01T11:59:59.000Z/,
    next: /tq task resume mail.send/,
  },
  {
    title: 'a job that is held for a paused task says it once',
    facts: { job: { state: 'SCHEDULED', dueAt: LATER }, held: { by: 'pause', holders: [] }, taskPausedSince: NOW },
    codes: ['TASK_PAUSED'],
    says: /paused/,
  },
  {
    title: 'a job that is held for a task that was just resumed is about to be let go',
    facts: { job: { state: 'SCHEDULED', dueAt: LATER }, held: { by: 'pause', holders: [] } },
    codes: ['READY'],
    says: /resumed/,
  },
  {
    title: 'a task that nobody registers names those that were asked, and what is near it',
    facts: { workers: [createWorker({ tasks: new Map([['mail.sent', TASK()]]) })] },
    codes: ['TASK_NOT_REGISTERED'],
    says: /registers task "mail.send" \(asked: tq@a\); near it they have mail.sent$/,
  },
  {
    title: 'a task of tq itself stands in no list of registered tasks',
    facts: { job: { task: 'tq.alert' }, workers: [createWorker({ tasks: new Map() })] },
    codes: ['READY'],
    says: /./,
  },
  {
    title: 'a worker that registers the task and serves other queues is the next step',
    facts: {
      workers: [createWorker({ tasks: new Map() }), createWorker({ name: 'tq@b', queues: ['low'] })],
    },
    codes: ['TASK_NOT_REGISTERED'],
    says: /tq@b does, and does not serve the queue/,
    next: /tq control add-consumer mail -d tq@b/,
  },
  {
    title: 'a worker that did not say its tasks may have the task',
    facts: { workers: [createWorker({ tasks: null })] },
    codes: ['READY'],
    says: /nothing holds it back/,
  },
  {
    title: 'the rate of a task says until when',
    facts: {
      job: { state: 'SCHEDULED', dueAt: LATER },
      held: { by: 'rate', holders: [] },
      workers: [createWorker({ tasks: new Map([['mail.send', TASK({ rateLimit: '10/m' })]]) })],
    },
    codes: ['TASK_RATE_LIMITED'],
    says: /rate limit of 10\/m of task "mail.send" holds it back until 2031-05-01T12:01:00.000Z/,
    until: LATER,
    next: /tq control rate-limit mail.send/,
  },
  {
    title: 'a concurrency limit says which jobs have the places',
    facts: {
      job: { state: 'SCHEDULED', dueAt: LATER },
      held: { by: 'concurrency', holders: [{ id: 'x', worker: 'tq@b' }] },
      workers: [createWorker({ tasks: new Map([['mail.send', TASK({ concurrency: 1 })]]) })],
    },
    codes: ['TASK_CONCURRENCY_FULL'],
    says: /concurrency limit of 1 .*; 1 job has its place: x on tq@b$/,
    until: null,
  },
  {
    title: "BullMQ's rate limit of the queue says until when",
    facts: { queue: { limitedForMs: 5000 } },
    codes: ['QUEUE_RATE_LIMITED'],
    says: /rate limit of queue "mail" is used up until 2031-05-01T12:00:05.000Z/,
    until: NOW + 5000,
  },
  {
    title: 'the window of a limit that a BullMQ worker brings along may be used up',
    facts: { queue: { windowMs: 5000 } },
    codes: ['QUEUE_RATE_LIMITED'],
    says: /may be used up/,
    until: NOW + 5000,
  },
  {
    title: "BullMQ's global concurrency says how many are active",
    facts: { queue: { concurrency: 2, active: 2 } },
    codes: ['QUEUE_CONCURRENCY_FULL'],
    says: /may have 2 active at once .* and has 2/,
  },
  {
    title: 'a concurrency that has room is no reason',
    facts: { queue: { concurrency: 2, active: 1 } },
    codes: ['READY'],
    says: /nothing holds it back/,
  },
  {
    title: 'a worker that is not ready says why',
    facts: { workers: [createWorker({ problems: ['it takes no jobs'] })] },
    codes: ['WORKER_NOT_READY'],
    says: /tq@a serves the queue and is not ready: it takes no jobs/,
  },
  {
    title: 'busy slots say whose, how many, and what runs longest; then how many come before',
    facts: {
      standing: { before: 1 },
      workers: [
        createWorker({ slots: 1, running: [{ ...RUNNING, id: 'short', runningMs: 1000 }] }),
        createWorker({ name: 'tq@b', slots: 1, running: [{ ...RUNNING, id: 'long', task: 'report' }] }),
      ],
    },
    codes: ['SLOTS_BUSY', 'JOBS_BEFORE'],
    says: /^all 2 slots of tq@a, tq@b are busy; long \(report\) runs longest, for 1m 30s on tq@b$/,
  },
  {
    title: 'a free slot of another worker is a slot',
    facts: {
      workers: [createWorker({ slots: 1, running: [{ ...RUNNING, id: 'x' }] }), createWorker({ name: 'tq@b' })],
    },
    codes: ['READY'],
    says: /nothing holds it back/,
  },
  {
    title: 'more jobs before it than are counted are at least so many',
    facts: { standing: { before: 100_000 } },
    codes: ['JOBS_BEFORE'],
    says: /^at least 100000 jobs/,
  },
  {
    title: 'several reasons are all given, the one that must go first comes first',
    facts: {
      queue: { paused: true, concurrency: 1, active: 1, limitedForMs: 1000 },
      standing: { before: 1 },
      taskPausedSince: NOW,
      workers: [createWorker({ tasks: new Map(), slots: 1, running: [{ ...RUNNING, id: 'x' }], problems: ['no'] })],
    },
    codes: [
      ...['QUEUE_PAUSED', 'TASK_PAUSED', 'TASK_NOT_REGISTERED', 'QUEUE_RATE_LIMITED', 'QUEUE_CONCURRENCY_FULL'],
      ...['WORKER_NOT_READY', 'SLOTS_BUSY', 'JOBS_BEFORE'],
    ],
    says: /queue "mail" is paused/,
  },
  {
    title: 'a record that no list holds is an orphan',
    facts: { job: { state: 'UNKNOWN' } },
    codes: ['ORPHANED'],
    says: /stands in no list of queue "mail"/,
    next: /tq doctor/,
  },
];

function TASK(given: { rateLimit?: string; concurrency?: number } = {}) {
  return { timeLimitMs: null, rateLimit: null, concurrency: null, ...given };
}

describe('the reasons of a job', () => {
  test.each(CASES)('$title', ({ facts, codes, says, next, until }) => {
    const reasons = explainJob(createFacts(facts));
    expect(reasons.map(({ code }) => code)).toEqual(codes);
    expect(reasons[0]?.message).toMatch(says);
    if (next !== undefined) expect(reasons[0]?.next).toMatch(next);
    if (until !== undefined) expect(reasons[0]?.until).toBe(until);
  });

  test('an unknown id says where it was looked for', () => {
    expect(explainUnknown('x', { resultsAsked: false })).toMatchObject({ code: 'UNKNOWN', until: null });
    expect(explainUnknown('x', { resultsAsked: true }).message).toMatch(/no row of the result store/);
  });

  test('every code has a case', () => {
    const tested = new Set([...CASES.flatMap(({ codes }) => codes), 'UNKNOWN']);
    expect(REASON_CODES.filter((code) => !tested.has(code))).toEqual([]);
  });

  test('every code is in docs/why.md', async () => {
    const page = await readFile(join(projectFolder, 'docs/why.md'), 'utf8');
    expect(REASON_CODES.filter((code) => !page.includes(`| \`${code}\``))).toEqual([]);
  });
});

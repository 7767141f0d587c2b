import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../src/engine/broker/event-port.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import type { Broker } from '../../../src/engine/broker/port.ts';
import { EVENT_KEYS } from '../../../src/engine/events/event.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { newJob } from '../../engine/broker/workshop.ts';
import { brokersUnderTest, createSqliteUrl } from '../../support/brokers.ts';
import { ensureBuilt } from '../../support/build.ts';
import { projectFolder } from '../../support/project-folder.ts';
import { type RunningTq, startTq } from '../../support/tq-command.ts';
import { NOW } from '../fake-broker.ts';
import { createFakeSession, type FakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { run } from '../run-fake.ts';

describe('argv to input', () => {
  test('the whole stream, or a part of it', async () => {
    expect(await parseInput('events')).toEqual({ where: undefined, since: undefined });
    expect(await parseInput('events', '--since', '10m')).toMatchObject({ since: { agoMs: 600_000 } });
    expect(await parseInput('events', '--since', '2031-05-01T12:00:00Z')).toMatchObject({ since: { at: NOW } });
    expect(await parseInput('events', '--where', '-type:progress')).toMatchObject({ where: '-type:progress' });
  });

  test('a time that is none and a query that cannot be read are usage errors', async () => {
    expect(await usageFault('events', '--since', 'yesterday')).toMatch(/^--since must be a duration such as 10m/);
    expect(await usageFault('events', '--since', '10')).toMatch(/^--since must be/);
    expect(await usageFault('events', '--where', ' ')).toMatch(/^--where must be a text that is not empty/);
    expect(await usageFault('events', '--where', 'type:faild')).toBe(
      'cannot read the query: "type" is never "faild"; did you mean "failed"?\n  type:faild\n       ^~~~~',
    );
  });
});

const base = { queue: 'mail', id: 'job-1', at: NOW };
const STORY: LogEntry[] = [
  { ...base, kind: 'added', task: 'email.send' },
  { ...base, kind: 'ready', from: 'new' },
  { ...base, at: NOW + 5, kind: 'taken' },
  { ...base, at: NOW + 8, kind: 'progress', progress: { done: 1, total: 3, note: 'pages' } },
  { ...base, at: NOW + 1505, kind: 'scheduled', dueAt: NOW + 61_505 },
  { ...base, at: NOW + 70_000, kind: 'taken' },
  { ...base, at: NOW + 70_050, kind: 'failed', message: '\u001b[31mno luck' },
];

/** The double tells the story; a signal then ends the stream, as Ctrl-C does. */
async function tell(session: FakeSession, argv: readonly string[], columns?: number) {
  session.fake.events.onTold = () => process.emit('SIGHUP');
  return await run(['events', ...argv], { session, ...(columns !== undefined && { columns }) });
}

function createSession(): FakeSession {
  const session = createFakeSession();
  session.fake.events.entries.push(...STORY);
  return session;
}

describe('the stream', () => {
  test('is one line an event on a terminal, in local time, with control characters shown', async () => {
    const { stdout, stderr, exitCode } = await tell(createSession(), ['--no-color'], 80);
    const time = (at: number) => new Date(at).toTimeString().slice(0, 8);
    const rows = stdout.trimEnd().split('\n');
    expect(rows[0]).toBe(
      `${time(NOW)}.000  sent            job-1                                 email.send            mail`,
    );
    expect(rows.map((row) => row.split(/ {2,}/).slice(1, 2)[0])).toEqual([
      'sent',
      'received',
      'started',
      'progress',
      'retried',
      'started',
      'failed',
      'dead',
    ]);
    expect(rows[3]).toMatch(/mail {8}1\/3 \(33 %\) pages$/);
    expect(rows[4]).toMatch(/mail {8}attempt 1, after 2s, again in 1m$/);
    expect(rows[7]).toMatch(/attempt 2, after 50ms, Error: \\x1b\[31mno luck$/);
    expect({ stderr, exitCode }).toEqual({ stderr: 'listening; Ctrl-C ends it\n', exitCode: 0 });
  });

  test('is tab-separated in a pipe, with exact times and nothing beside it', async () => {
    const { stdout, stderr } = await tell(createSession(), []);
    const rows = stdout.trimEnd().split('\n');
    expect(rows[0]).toBe('2031-05-01T12:00:00.000Z\tsent\tjob-1\temail.send\tmail\t');
    expect(rows).toHaveLength(8);
    expect(stderr).toBe('');
  });

  test('is one object a line with --json, always with the same keys', async () => {
    const { stdout } = await tell(createSession(), ['--json'], 80);
    const told = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const event of told) expect(Object.keys(event)).toEqual([...EVENT_KEYS]);
    expect(told[4]).toMatchObject({ type: 'retried', at: NOW + 1505, durationMs: 1500, delayMs: 60_000, error: null });
  });

  test('is what --where takes, from --since on', async () => {
    const session = createSession();
    const { stdout } = await tell(session, ['--where', 'type:retried OR error~luck', '--since', '10m']);
    expect(stdout.split('\n').map((row) => row.split('\t')[1])).toEqual(['retried', 'failed', 'dead', undefined]);
    expect(session.fake.events.asked).toMatchObject([{ since: NOW - 600_000 }]);
    expect(session.isClosed()).toBe(true);
  });

  test('of a broker that is away ends with its error', async () => {
    const session = createFakeSession();
    session.fake.break();
    expect(await run(['events'], { session })).toMatchObject({ exitCode: 69, stdout: '' });
  });
});

describe.each(brokersUnderTest())('the built command on $name', ({ createUrl }) => {
  const stops: (() => unknown)[] = [];
  beforeAll(ensureBuilt);
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  const open = async (url: string): Promise<Broker> => {
    const maker = await openBroker(url, { clock: systemClock, skipSchema: true });
    await maker.migrate();
    await maker.close();
    const broker = await openBroker(url, { clock: systemClock });
    stops.push(() => broker.close());
    return broker;
  };
  const start = async (...argv: string[]): Promise<RunningTq> => {
    const running = await startTq(['events', ...argv]);
    stops.push(() => running.signal('SIGKILL'));
    return running;
  };

  test('tells what other processes do until Ctrl-C, and ends with 0', { timeout: 60_000 }, async () => {
    const url = await createUrl();
    const broker = await open(url);
    const queue = broker.queue('mail');
    const job = newJob({ task: 'email.send', meta: { requestId: 'req-7' } });
    await queue.add(job);
    const running = await start('--broker', url, '--json', '--since', '1m', '--where', 'task:email.* -type:received');
    await running.waitForLine(job.id);
    const later = newJob({ task: 'email.later', delayMs: 60_000 });
    await queue.add(newJob({ task: 'other' }));
    await queue.add(later);
    await running.waitForLine(later.id);
    running.signal('SIGINT');
    expect(await running.exit).toEqual({ exitCode: 0, signal: undefined });
    const told = running.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(told).toMatchObject([
      { type: 'sent', id: job.id, queue: 'mail', requestId: 'req-7', state: 'PENDING' },
      { type: 'sent', id: later.id, task: 'email.later', state: 'SCHEDULED' },
    ]);
    expect(running.stderr).toBe('');
  });

  test('ends quietly when its reader has seen enough', { timeout: 60_000 }, async () => {
    const url = await createUrl();
    const broker = await open(url);
    await broker.queue('mail').addBulk(Array.from({ length: 5000 }, () => newJob()));
    const tq = join(projectFolder, 'bin', 'tq');
    const { stdout, stderr, exitCode } = await execa(
      'sh',
      ['-c', `"$0" "$1" events --broker "$2" --since 1m | head -n 2`, process.execPath, tq, url],
      {
        env: { TQ_LOG_LEVEL: 'info' },
        reject: false,
      },
    );
    expect({ rows: stdout.split('\n').length, stderr, exitCode }).toEqual({ rows: 2, stderr: '', exitCode: 0 });
  });
});

test('the file of a SQLite broker that is not there is not made, and waited for', { timeout: 60_000 }, async () => {
  const url = createSqliteUrl();
  const file = url.slice('sqlite:'.length);
  const [running, idle] = [
    await startTq(['events', '--broker', url, '--json', '--since', '1m']),
    await startTq(['events', '--broker', url]),
  ];
  try {
    await Promise.all(
      [running, idle].map((each) => each.waitForLine('yet; the first call or worker makes it: waiting')),
    );
    idle.signal('SIGINT');
    expect(await idle.exit).toEqual({ exitCode: 0, signal: undefined });
    expect(existsSync(file)).toBe(false);
    const broker = await openBroker(url, { clock: systemClock });
    const job = newJob();
    await broker.queue('new').add(job);
    await broker.close();
    await running.waitForLine(job.id);
  } finally {
    running.signal('SIGTERM');
    expect(await running.exit).toMatchObject({ exitCode: 0 });
  }
});

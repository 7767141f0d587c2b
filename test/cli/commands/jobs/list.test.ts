import { beforeAll, describe, expect, test } from 'vitest';
import type { LogEntry } from '../../../../src/engine/broker/event-port.ts';
import { openBroker } from '../../../../src/engine/broker/open-broker.ts';
import { systemClock } from '../../../../src/engine/runtime/system-clock.ts';
import { newJob } from '../../../engine/broker/workshop.ts';
import { createSqliteUrl } from '../../../support/brokers.ts';
import { ensureBuilt } from '../../../support/build.ts';
import { runTq, startTq } from '../../../support/tq-command.ts';
import { createStoredJob, FakeBroker, NOW } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

const createBroker = () =>
  new FakeBroker().store(
    'mail',
    { id: 'one', createdAt: NOW - 60_000 },
    {
      ...{ id: 'two', state: 'FAILURE', attempts: 3, createdAt: NOW - 120_000, startedAt: NOW - 2000 },
      ...{ finishedAt: NOW - 1000, error: { name: 'TypeError', message: '\u001b[31mno', code: null, stack: null } },
    },
  );

describe('argv to input', () => {
  test('what is listed, and how much of it', async () => {
    expect(await parseInput('jobs', 'list')).toMatchObject({ where: undefined, queues: undefined, limit: 100 });
    const argv = ['--where', 'state:dead', '-Q', 'a,b', '--limit', '7', '--sort=-created'];
    expect(await parseInput('jobs', 'list', ...argv)).toEqual({
      ...{ where: 'state:dead', queues: ['a', 'b'], limit: 7, sort: '-created' },
    });
  });

  test('what cannot be is a usage error, found before anything is opened', async () => {
    expect(await usageFault('jobs', 'list', '--limit', '0')).toMatch(/^--limit must be a whole number from 1 to 10000/);
    expect(await usageFault('jobs', 'list', '--sort', 'age')).toMatch(/^the order of jobs must be created, finished/);
    expect(await usageFault('jobs', 'list', '--where', ' ')).toMatch(/^--where must be a text that is not empty/);
    expect(await usageFault('jobs', 'list', '--where', 'state:dea')).toBe(
      'cannot read the query: "state" is never "dea"; did you mean "dead"?\n  state:dea\n        ^~~',
    );
    const followed = await run(['jobs', 'list', '--follow', '--sort', 'created']);
    expect(followed.exitCode).toBe(2);
    expect(followed.stderr).toContain('--sort was given with --follow');
  });
});

describe('the list', () => {
  test('is a table on a terminal, the newest first, with control characters shown', async () => {
    const { stdout } = await run(['jobs', 'list', '--no-color'], {
      session: createFakeSession(createBroker()),
      columns: 160,
    });
    const rows = stdout.trimEnd().split('\n');
    expect(rows[0]?.split(/ {2,}/)).toEqual([
      ...['ID', 'TASK', 'QUEUE', 'STATE', 'ATTEMPTS', 'CREATED', 'DUE', 'FINISHED', 'ERROR'],
    ]);
    expect(rows.slice(1).map((line) => line.split(' ')[0])).toEqual(['two', 'one']);
    expect(stdout).toContain('TypeError: \\x1b[31mno');
  });

  test('is an array of whole jobs as JSON, and says when there may be more', async () => {
    const all = await run(['jobs', 'list', '--json'], { session: createFakeSession(createBroker()) });
    expect(JSON.parse(all.stdout)).toMatchObject([
      { id: 'two', error: { name: 'TypeError' } },
      { id: 'one', args: [] },
    ]);
    expect(all.stderr).toBe('');
    const cut = await run(['jobs', 'list', '--json', '--limit', '1'], { session: createFakeSession(createBroker()) });
    expect(JSON.parse(cut.stdout)).toHaveLength(1);
    expect(cut.stderr).toContain('there may be more');
    const none = await run(['jobs', 'list', '--json', '--where', 'id:x'], {
      session: createFakeSession(createBroker()),
    });
    expect(none).toMatchObject({ stdout: '[]\n', exitCode: 0 });
  });
});

describe('--follow', () => {
  const base = { queue: 'mail', at: NOW };
  /** What the log says; each job is read as it is when it is heard of. */
  const ENTRIES: LogEntry[] = [
    { ...base, id: 'one', kind: 'taken' },
    { ...base, id: 'two', kind: 'failed', message: 'no' },
    { ...base, id: 'two', kind: 'failed', message: 'no' },
    { ...base, id: 'gone', kind: 'taken' },
    { ...base, queue: 'other', id: 'three', kind: 'ready', from: 'new' },
  ];

  async function follow(...argv: readonly string[]) {
    const session = createFakeSession(createBroker());
    session.fake.queue('mail');
    session.fake.store('other', createStoredJob({ id: 'three', queue: 'other' }));
    session.fake.events.entries.push(...ENTRIES);
    session.fake.events.onTold = () => process.emit('SIGHUP');
    const { stdout, exitCode } = await run(['jobs', 'list', '--follow', '--json', ...argv], { session });
    expect(exitCode).toBe(0);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { id: string }).id);
  }

  test('tells each job once as it comes to fit, one JSON object a line', async () => {
    expect(await follow()).toEqual(['one', 'two', 'three']);
    expect(await follow('--where', 'state:dead')).toEqual(['two']);
    expect(await follow('-Q', 'other')).toEqual(['three']);
  });

  test('ends after as many as --limit says', async () => {
    const session = createFakeSession(createBroker());
    session.fake.events.entries.push(...ENTRIES);
    const { stdout, exitCode } = await run(['jobs', 'list', '--follow', '--limit', '1'], { session });
    expect(exitCode).toBe(0);
    expect(stdout.split('\t')[0]).toBe('one');
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('on a SQLite file', () => {
  beforeAll(ensureBuilt);

  test('jobs are listed, found by their arguments, and followed', { timeout: 60_000 }, async () => {
    const url = await createSqliteUrl();
    const broker = await openBroker(url, { clock: systemClock });
    const queue = broker.queue('mail');
    const ada = newJob({ task: 'email.send', args: [{ to: 'ada@example.com' }], createdAt: systemClock.now() - 10 });
    const bob = newJob({ task: 'email.send', args: [{ to: 'bob@example.org' }] });
    await queue.addBulk([ada, bob]);
    const listed = await runTq(['jobs', 'list', '-b', url, '--json']);
    expect(listed.json()).toMatchObject([{ id: bob.id }, { id: ada.id, args: [{ to: 'ada@example.com' }] }]);
    const where = 'state:waiting queue:mail args.0.to=*@example.com';
    expect((await runTq(['jobs', 'list', '-b', url, '--where', where, '--json'])).json()).toMatchObject([
      { id: ada.id },
    ]);
    const argv = ['jobs', 'list', '-b', url, '--follow', '--where', 'args.0.to=*@example.net', '--json'];
    const following = await startTq(argv);
    const addCarol = async () => {
      await queue.add(newJob({ args: [{ to: 'carol@example.net' }] }));
      return following.stdout;
    };
    // It listens from some moment on, and what was added before that is not told.
    await expect.poll(addCarol, { timeout: 30_000 }).toContain('carol');
    const line = await following.waitForLine(/carol/);
    expect(JSON.parse(line)).toMatchObject({ task: 'work', state: 'PENDING' });
    following.signal('SIGINT');
    expect(await following.exit).toMatchObject({ exitCode: 0 });
    await broker.close();
  });
});

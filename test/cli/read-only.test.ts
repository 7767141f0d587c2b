import { EventEmitter } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandIndex } from '../../src/cli/command-index.ts';
import type { CliHost } from '../../src/cli/host.ts';
import { runCli } from '../../src/cli/main.ts';
import { createSession } from '../../src/cli/session.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { createStore, openWorkshop } from '../engine/broker/workshop.ts';
import { brokersUnderTest } from '../support/brokers.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { type StoreSnapshot, snapshotStore } from '../support/store-snapshot.ts';
import { waitFor } from '../support/wait-for.ts';

/** What only looks, as it is typed: every read, and every other operation under a dry run. A missing one fails the test below. */
const READS: Readonly<Record<string, readonly string[]>> = {
  result: ['plain-1'],
  status: [],
  health: [],
  'inspect queues': [],
  'inspect scheduled': [],
  'inspect active': [],
  'inspect reserved': [],
  'inspect revoked': [],
  'inspect registered': [],
  'inspect stats': [],
  'inspect conf': [],
  'inspect ping': [],
  'jobs show': ['plain-1'],
  'jobs list': ['--where', 'args.0.to:*'],
  'jobs export': ['--all'],
  'dlq list': [],
  'dlq show': ['dead-1'],
  'dlq stats': [],
  'dlq export': ['--all'],
  why: ['plain-1'],
  trace: ['flow-1'],
  doctor: [],
  'schedule list': [],
  'schedule show': ['report.nightly'],
  'schedule next': ['--every', '5m'],
  'results list': ['--results', 'sqlite::memory:'],
  undo: [],
  audit: [],
};

const DRY_RUNS: Readonly<Record<string, readonly string[]>> = {
  call: ['email.send', '--args', '[]', '--queue', 'mail'],
  'jobs retry': ['dead-1'],
  'jobs cancel': ['--where', 'task:send'],
  'jobs promote': ['--where', 'state:scheduled'],
  'jobs move': ['--where', 'task:send', '--to', 'other'],
  'jobs edit': ['--where', 'task:send', '--patch', '{"to":"x"}'],
  'jobs import': ['-'],
  'dlq reprocess': ['--all'],
  'dlq purge': ['--all'],
  'dlq edit': ['--all', '--patch', '{"to":"x"}'],
  purge: ['--all'],
  'control revoke': ['plain-1'],
  'control pool-grow': ['1'],
  'control pool-shrink': ['1'],
  'control autoscale': ['3', '1'],
  'control add-consumer': ['mail'],
  'control cancel-consumer': ['mail'],
  'control time-limit': ['send', '1s', '2s'],
  'control rate-limit': ['send', '1/s'],
  'control shutdown': [],
  'control call': ['x'],
  'queue pause': ['mail'],
  'queue resume': ['mail'],
  'task pause': ['send'],
  'task resume': ['send'],
  'schedule add': ['report.nightly', '--task', 'report', '--every', '5m'],
  'schedule remove': ['--all'],
  'schedule pause': ['--all'],
  'schedule resume': ['--all'],
  'schedule run': ['report.nightly'],
  undo: ['mhy2k9x1-04af'],
  migrate: [],
};

test('every operation is looked at', async () => {
  const operations: { name: string; effect: string }[] = [];
  for (const { name, load } of commandIndex) {
    const command = await load();
    if (command.kind === 'operation') operations.push({ name, effect: (await command.operation()).effect });
  }
  expect(operations.length).toBeGreaterThan(30);
  for (const { name, effect } of operations) expect(Object.keys(effect === 'read' ? READS : DRY_RUNS)).toContain(name);
});

describe.each(brokersUnderTest())('a store of plain BullMQ on $name', (store) => {
  let url: string;

  beforeAll(async () => {
    url = await createStore(store);
    const maker = await openWorkshop(store.name, url);
    try {
      await maker.plainQueue('mail').addBulk([
        { name: 'send', data: { to: 'a@example.com' }, opts: { jobId: 'plain-1' } },
        { name: 'send', data: { to: 'b@example.com' }, opts: { priority: 3 } },
        { name: 'send', data: { to: 'c@example.com' }, opts: { delay: 3_600_000 } },
      ]);
      const gone = maker.plainQueue('gone');
      await gone.add('send', { to: 'd@example.com' }, { jobId: 'dead-1' });
      await maker.plainWorker('gone', () => {
        throw new Error('no such user');
      });
      await waitFor('the job to fail', async () => (await gone.getFailedCount()) === 1);
      await maker.plainFlow({
        ...{ name: 'report', queueName: 'reports', data: {}, opts: { jobId: 'flow-1' } },
        children: [{ name: 'page', queueName: 'pages', data: {}, opts: { jobId: 'page-1' } }],
      });
    } finally {
      // A worker that lives writes now and then.
      await maker.close();
    }
  });

  const look = async (argv: readonly string[]) => {
    const sink = () => Object.assign(new PassThrough(), { text: '' });
    const [stdout, stderr] = [sink(), sink()];
    for (const each of [stdout, stderr]) each.on('data', (part: Buffer) => (each.text += part.toString()));
    const host: CliHost = {
      streams: { stdin: Readable.from([]), stdout, stderr },
      ...{ cwd: createFolderOfRun('cwd'), clock: systemClock, env: {}, signals: new EventEmitter() },
      openSession: async (settings, options) => createSession(settings, systemClock, options),
    };
    const exitCode = await runCli([...argv, '--broker', url, '--timeout', '200ms', '--yes'], host);
    return { exitCode, stdout: stdout.text, stderr: stderr.text };
  };

  /** A key of Redis that has an end, and has come to it, was changed by nobody. */
  const changed = (before: StoreSnapshot, after: StoreSnapshot) =>
    [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (key) => before[key] !== after[key] && !(after[key] === undefined && before[key]?.endsWith(' ends')),
    );

  const known = (names: readonly string[]) => {
    const there = commandIndex.map(({ name }) => name);
    return names.filter((name) => there.includes(name));
  };

  test('is left as it is by every read', async () => {
    const before = await snapshotStore(store.name, url);
    expect(Object.keys(before).length).toBeGreaterThan(2);
    for (const name of known(Object.keys(READS))) {
      const ran = await look([...name.split(' '), ...(READS[name] ?? [])]);
      const after = await snapshotStore(store.name, url);
      expect({ name, changed: changed(before, after), stderr: ran.stderr }).toEqual({
        name,
        changed: [],
        stderr: ran.stderr,
      });
      // A usage fault would have looked at nothing.
      expect(ran.exitCode === 2 ? `${name}: ${ran.stderr}` : '').toBe('');
    }
  });

  test('is left as it is by every dry run', async () => {
    const before = await snapshotStore(store.name, url);
    for (const name of known(Object.keys(DRY_RUNS))) {
      const ran = await look([...name.split(' '), ...(DRY_RUNS[name] ?? []), '--dry-run']);
      const after = await snapshotStore(store.name, url);
      expect({ name, changed: changed(before, after), stderr: ran.stderr }).toEqual({
        name,
        changed: [],
        stderr: ran.stderr,
      });
      expect(ran.exitCode === 2 ? `${name}: ${ran.stderr}` : '').toBe('');
    }
  });
});

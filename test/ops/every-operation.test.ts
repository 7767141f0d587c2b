import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandIndex } from '../../src/cli/command-index.ts';
import { parseCommandLine } from '../../src/cli/program.ts';
import type { Operation } from '../../src/ops/operation.ts';

const OPS = join(import.meta.dirname, '../../src/ops');

/** Every operation of src/ops, with the file that defines it. */
async function listOperations(): Promise<{ file: string; operation: Operation }[]> {
  const files = (await readdir(OPS)).filter((file) => file.endsWith('.ts'));
  const defining = await Promise.all(
    files.map(async (file) =>
      /= define(Operation|WorkerCommand|QueuePause|Removal|JobEdit)\(/.test(await readFile(join(OPS, file), 'utf8'))
        ? [file]
        : [],
    ),
  );
  return await Promise.all(
    defining.flat().map(async (file) => {
      const exported = Object.values((await import(join(OPS, file))) as Record<string, unknown>);
      const operation = exported.find((value) => typeof value === 'object' && value !== null && 'commandLine' in value);
      return { file, operation: operation as Operation };
    }),
  );
}

const operations = await listOperations();

test('there are operations to look at', () => {
  expect(operations.length).toBeGreaterThanOrEqual(7);
});

test.each(operations)('$file has the name of its operation, and a test', ({ file, operation }) => {
  expect(operation.name).toBe(file.replace(/\.ts$/, ''));
  expect(existsSync(join(import.meta.dirname, file.replace(/\.ts$/, '.test.ts')))).toBe(true);
});

/** An input for each operation, and the command line must lead back to it. */
const inputs: Record<string, Record<string, unknown>> = {
  'call-task': { task: 'email.send', args: [{ to: "o'hara" }], countdownMs: 1500, headers: { a: 'b' } },
  'read-result': { id: 'x', wait: true },
  'list-queues': {},
  'list-scheduled': { queues: ['a', 'b'], limit: 7 },
  'list-jobs': { where: 'state:dead task:email.*', queues: ['a', 'b'], sort: '-due', limit: 7 },
  'list-results': { where: "task:email.* error~'no such host'", sort: '-duration', limit: 7 },
  'show-job': { id: 'x' },
  'count-dead-letters': { where: 'task:email.*', queues: ['a', 'b'] },
  'list-dead-letters': { fingerprint: '1f3870be', limit: 7 },
  'show-dead-letter': { id: 'x', queue: 'mail' },
  'explain-job': { id: 'x', queue: 'mail' },
  'run-checkup': {},
  'check-health': { only: ['broker', 'disk'], worker: 'tq@a', beat: true },
  'remove-leftovers': {},
  'retry-jobs': { ids: ['a', 'b'], queue: 'mail' },
  'cancel-jobs': { where: "task:email.* error~'no such host'" },
  'promote-jobs': { ids: ['a', 'b'], queue: 'mail' },
  'move-jobs': { where: 'queue:"mail"', to: 'slow' },
  'edit-jobs': { ids: ['a'], patch: { to: "o'hara" }, priority: 3, dueAt: 1_900_000_000_000 },
  'edit-dead-letters': { where: 'task:a', args: [1, { a: 'b' }] },
  'purge-dead-letters': { all: true },
  'reprocess-dead-letters': {
    ...{ where: 'task:a', first: 10, rate: '20/s', stopIfFailing: 5, to: 'repair', patch: { a: 1 } },
    resume: 'mhy2k9x1-04af',
  },
  'trace-workflow': { id: 'x', queue: 'mail' },
  'undo-operation': { id: 'mhy2k9x1-04af', force: true },
  'list-undo': {},
  'list-audit': { where: 'user:ada age<1d', limit: 7 },
  'purge-queues': { queues: ['a', 'b'] },
  'migrate-broker': {},
  'migrate-jobs': { from: 'redis://box', to: 'postgres://box/jobs', queues: ['a', 'b'] },
  'import-jobs': { file: "o'hara.ndjson.gz", queue: 'repair', skipInvalid: true },
  'inspect-workers': { command: 'ping', destinations: ['tq@a', 'tq@b'] },
  'list-active': { destinations: ['tq@a'] },
  'show-status': {},
  'call-control': { command: 'cache.clear', args: { prefix: "o'hara" }, destinations: ['tq@a'] },
  'pause-queues': { queues: ['a', 'b'] },
  'resume-queues': { queues: ['a', 'b'] },
  'pause-tasks': { tasks: ['email.send', 'b'] },
  'resume-tasks': { tasks: ['email.send', 'b'] },
  'rate-limit-task': { task: 'email.send', rate: '10/m', destinations: ['tq@a'] },
  'shutdown-workers': { destinations: ['tq@a'] },
  'revoke-jobs': { ids: ['a', 'b'], queue: 'mail', terminate: true, destinations: ['tq@a'] },
  'list-revoked': { destinations: ['tq@a'] },
  'grow-pools': { by: 3, destinations: ['tq@a'] },
  'shrink-pools': { by: 2 },
  'autoscale-workers': { max: 8, min: 2 },
  'add-consumers': { queue: 'high:6', destinations: ['tq@a', 'tq@b'] },
  'cancel-consumers': { queue: 'low' },
  'list-entries': { where: 'report.*', sort: 'next', limit: 7 },
  'show-entry': { name: 'report.nightly' },
  'preview-entry': { name: 'report.nightly', fromAt: 1_900_000_000_000, count: 3 },
  'add-entry': {
    ...{ name: 'lamps.on', task: 'lamps.switch', args: [{ room: "o'hara" }], queue: 'lamps', priority: 3 },
    ...{ solar: { event: 'sunset', latitude: -33.9, longitude: 18.4 }, timezone: 'Africa/Johannesburg' },
    ...{ startAt: '2031-05-01T00:00:00.000Z', endAt: '2032-05-01', maxRuns: 5, jitterMs: 1500 },
    ...{ expiresMs: 90_000, softTimeLimitMs: 5000, timeLimitMs: 60_000, headers: { a: 'b=c' } },
    ...{ overlap: 'allow', missed: 'all', missedWithinMs: 7_200_000, missedAtMost: 50 },
    ...{ description: "when it's dark", paused: true, replace: true },
  },
  'remove-entries': { names: ['a', 'b'] },
  'pause-entries': { where: 'report.*' },
  'resume-entries': { all: true },
  'run-entry': { name: 'report.nightly', wait: true },
  'limit-task-times': { task: 'email.send', softTimeLimitMs: null, timeLimitMs: 1500 },
};

test.each(operations)('$file has a command with a test', async ({ operation }) => {
  const request = await parseCommandLine(operation.commandLine(inputs[operation.name]));
  if (request.kind !== 'run' || request.command.kind !== 'operation') throw new Error('it runs no operation');
  const { name } = request.command;
  expect(commandIndex.map((command) => command.name)).toContain(name);
  const { options } = request.values;
  expect(await request.command.operation({ input: inputs[operation.name], options } as never)).toBe(operation);
  const test = join(import.meta.dirname, '../cli/commands', `${name.replace(' ', '/')}.test.ts`);
  expect(existsSync(test)).toBe(true);
});

test.each(operations)('the command line of $file leads back to its input', async ({ operation }) => {
  const input = inputs[operation.name];
  expect(input).toBeDefined();
  const request = await parseCommandLine(operation.commandLine(input));
  if (request.kind !== 'run' || request.command.kind !== 'operation') throw new Error('it runs no operation');
  const values = { ...request.values, timeoutMs: undefined } as Parameters<typeof request.command.toInput>[0];
  expect(await request.command.operation({ input, options: values.options } as never)).toBe(operation);
  expect(request.command.toInput(values)).toMatchObject(input as object);
});

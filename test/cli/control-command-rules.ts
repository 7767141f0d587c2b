import { describe, expect, test } from 'vitest';
import { FakeBroker } from './fake-broker.ts';
import { createFakeSession } from './fake-session.ts';
import { parseInput } from './parse-input.ts';
import { run } from './run-fake.ts';

interface ControlExample {
  /** As `tq control` has it, and as the workers know it. */
  readonly command: string;
  readonly words: readonly string[];
  /** Those words as the input of the operation. */
  readonly input: Readonly<Record<string, unknown>>;
  /** What a worker answers. */
  readonly reply: Readonly<Record<string, unknown>>;
  /** Its fields in a pipe, behind the name of the worker. */
  readonly piped: readonly string[];
  /** The head of the table on a terminal, and the row of that reply. */
  readonly head: readonly string[];
  readonly row: readonly string[];
}

/** What every command keeps that tells live workers something (control-command.ts). */
export function describeControlCommand({ command, words, input, reply, piped, head, row }: ControlExample): void {
  const createBroker = (): FakeBroker => {
    const broker = new FakeBroker();
    broker.control.add('tq@a', { [command]: reply });
    return broker;
  };
  const control = (broker: FakeBroker, argv: readonly string[] = [], columns?: number) =>
    run(['control', command, ...words, ...argv], {
      session: createFakeSession(broker),
      ...(columns !== undefined && { columns }),
    });

  describe(`control ${command}, as each of its kind`, () => {
    test('takes what to change, and the workers to ask', async () => {
      const all = { destinations: undefined, timeoutMs: undefined };
      expect(await parseInput('control', command, ...words)).toEqual({ ...input, ...all });
      expect(await parseInput('control', command, ...words, '-d', 'a,b', '--timeout', '5s')).toEqual({
        ...input,
        ...{ destinations: ['a', 'b'], timeoutMs: 5000 },
      });
    });

    test('asks the workers that are addressed', async () => {
      const broker = createBroker();
      await control(broker, ['-d', 'tq@a', '--timeout', '5s']);
      expect(broker.control.questions).toMatchObject([{ command, destinations: ['tq@a'], timeoutMs: 5000 }]);
    });

    test('shows what is true after it: as JSON, in a pipe, on a terminal', async () => {
      const { exitCode, stdout, stderr } = await control(createBroker(), ['--json']);
      expect(JSON.parse(stdout)).toEqual({ workers: { 'tq@a': reply }, silent: [] });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect((await control(createBroker())).stdout).toBe(`${['tq@a', ...piped].join('\t')}\n`);
      const shown = (await control(createBroker(), ['--no-color'], 80)).stdout;
      expect(shown.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
        ['WORKER', ...head],
        ['tq@a', ...row],
        [''],
      ]);
    });

    test('a refusal has exit code 1, silence 4, and nobody at all 69', async () => {
      const broker = createBroker();
      broker.control.add('mute', {});
      expect(await control(broker)).toMatchObject({ exitCode: 4, stderr: 'no answer from mute\n' });
      broker.control.add('odd', { [command]: new Error('no') });
      expect(await control(broker)).toMatchObject({ exitCode: 1, stderr: 'odd: no\nno answer from mute\n' });
      expect(await control(new FakeBroker(), ['--json'])).toMatchObject({
        exitCode: 69,
        stdout: '{"workers":{},"silent":[]}\n',
      });
    });

    test('a dry run asks nobody', async () => {
      const broker = createBroker();
      const { exitCode, stdout } = await control(broker, ['--dry-run', '--json']);
      expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, rows: [{ worker: 'tq@a', host: 'box', pid: 100 }] });
      expect({ exitCode, asked: broker.control.questions }).toEqual({ exitCode: 0, asked: [] });
    });
  });
}

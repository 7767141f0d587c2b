import { once } from 'node:events';
import type { ScanPlace } from '../engine/broker/bulk-port.ts';
import { FailureList } from '../engine/core/failure-list.ts';
import { UNKNOWN } from '../ops/job-changes.ts';
import type { JobChoice } from '../ops/job-choice.ts';
import type { OutputFile } from '../ops/transfer/output-file.ts';
import { type Command, type CommandContext, defineService, type Example, type Values } from './command.ts';
import { listFailures } from './job-changes.ts';
import { type ChoiceOptions, choiceArgument, readChoice } from './job-choice.ts';
import { readText } from './option-values.ts';
import type { OptionDefinition } from './options.ts';
import { line, type Presentation } from './presentation.ts';
import { Stopping } from './stopping.ts';

interface Input {
  readonly choice: JobChoice;
  /** Stdout without it. */
  readonly output: string | undefined;
  readonly force: boolean;
}

interface Exported {
  readonly matched: number;
  readonly exported: number;
  readonly failed: FailureList['named'];
  readonly failedCount: number;
  readonly output: string;
  readonly bytes: number;
  readonly stopped: string | null;
}

const FIELDS = ['matched', 'exported', 'failed', 'failedCount', 'output', 'bytes', 'stopped'] as const;

const outputOptions: readonly OptionDefinition[] = [
  {
    flags: '-o, --output <file>',
    summary: 'a new file instead of stdout; packed with gzip when its name ends in .gz',
    completion: 'files',
  },
  { flags: '--force', summary: 'replace that file if it is there' },
];

/** A command that writes jobs as NDJSON, and changes nothing. */
export function defineExport(given: {
  readonly name: string;
  readonly summary: string;
  readonly details: readonly string[];
  readonly places: readonly ScanPlace[];
  readonly options: readonly OptionDefinition[];
  readonly examples: readonly Example[];
}): Command {
  const { name, summary, details, places, options, examples } = given;
  return defineService({
    name,
    summary,
    details: details.join('\n'),
    arguments: [choiceArgument],
    options: [...options, ...outputOptions],
    examples,
    json: FIELDS,
    onlyLooks: true,
    toInput: (values: Values<ChoiceOptions & { output?: string; force?: boolean }>): Input => ({
      choice: readChoice(name, values),
      output: readText(values.options.output, '--output'),
      force: values.options.force === true,
    }),
    serve: (input: Input, context) => exportJobs(input, { name, places }, context),
  });
}

/** @returns 0 when all was written, 1 when it was asked to stop or some of the named jobs are left out, 3 when no queue holds any of them */
async function exportJobs(
  { choice, output: path, force }: Input,
  { name, places }: { readonly name: string; readonly places: readonly ScanPlace[] },
  { session, output, host }: CommandContext,
): Promise<number> {
  const [{ exportLines }, { OutputFile }] = await Promise.all([
    import('../ops/transfer/export-lines.ts'),
    import('../ops/transfer/output-file.ts'),
  ]);
  const failed = new FailureList();
  let unknown = 0;
  let exported = 0;
  const stopping = new Stopping(output.note, host.signals);
  const { signal } = stopping;
  // A broker that does not answer is said before there is a file.
  await session.broker();
  const file = path === undefined ? undefined : await OutputFile.create(path, { force });
  const pages = exportLines(session, choice, {
    ...{ command: name, places, signal },
    onLeftOut(id, reason) {
      if (reason === 'unknown') unknown += 1;
      failed.add(id, reason === 'unknown' ? UNKNOWN : 'it is no dead letter');
    },
  });
  const told = { matched: 0, failed: failed.named, output: path ?? '-' };
  try {
    for await (const { text, jobs } of pages) {
      await (file === undefined ? writeOut(text, host.streams.stdout, signal) : file.write(text));
      exported += jobs;
      output.progress({ done: exported, total: null });
      if (signal.aborted) break;
    }
  } catch (error) {
    if (await keepRest(file, exported)) output.note(`failed after ${exported} jobs; ${path} holds these`);
    else if (file === undefined && exported > 0) output.note(`failed after ${exported} jobs`);
    throw error;
  } finally {
    output.clearProgress();
    stopping.end();
  }
  const bytes = (await file?.finish()) ?? 0;
  const stopped = signal.aborted ? 'it was asked to stop' : null;
  const matched = exported + failed.count;
  const result = { ...told, matched, exported, failedCount: failed.count, bytes, stopped };
  const exitCode = matched > 0 && unknown === matched ? 3 : failed.count > 0 || stopped !== null ? 1 : 0;
  if (file !== undefined) output.print(present(result));
  else for (const text of describeEnd(result)) output.note(text);
  return exitCode;
}

/** What was read is worth keeping; a file with nothing in it is not. @returns whether it stays */
async function keepRest(file: OutputFile | undefined, exported: number): Promise<boolean> {
  if (file === undefined) return false;
  if (exported > 0) {
    const isKept = await file.finish().then(
      () => true,
      () => false,
    );
    if (isKept) return true;
  }
  await file.discard();
  return false;
}

async function writeOut(
  text: string,
  stdout: CommandContext['host']['streams']['stdout'],
  signal: AbortSignal,
): Promise<void> {
  if (!stdout.write(text)) await once(stdout, 'drain', { signal }).catch(() => undefined);
}

function present(result: Exported): Presentation {
  const { exported, output, failed, failedCount, stopped } = result;
  return {
    json: result,
    blocks: [line(`exported ${countJobs(exported)} to ${output}`)],
    problems: [...listFailures(failed, failedCount), ...listEnd(stopped, exported)],
  };
}

function describeEnd({ exported, failed, failedCount, stopped }: Exported): string[] {
  const end = stopped === null ? [`exported ${countJobs(exported)}`] : listEnd(stopped, exported);
  return [...listFailures(failed, failedCount), ...end];
}

function listEnd(stopped: string | null, exported: number): string[] {
  return stopped === null ? [] : [`ended after ${countJobs(exported)}: ${stopped}; the others are not in the file`];
}

function countJobs(count: number): string {
  return count === 1 ? '1 job' : `${count} jobs`;
}

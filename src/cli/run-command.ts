import { loadSettings, type Settings } from '../engine/config/settings.ts';
import { createError } from '../engine/core/errors.ts';
import type { Asked, Command, CommandContext, Values } from './command.ts';
import { commandGroups, commandIndex } from './command-index.ts';
import { createConfirm, formatProfile } from './confirm.ts';
import type { CliHost } from './host.ts';
import { parseFlags } from './options.ts';
import { createOutput, type Output } from './output.ts';
import { presentPlan } from './plan.ts';
import type { Request } from './program.ts';
import type { SessionOptions } from './session.ts';
import { keepHeapSmall } from './small-heap.ts';
import { Stopping } from './stopping.ts';
import { readStdin } from './streams.ts';

type RunRequest = Extract<Request, { kind: 'run' }>;

/**
 * Runs a command that was asked for:
 *
 * 1. the settings are loaded, except for a command that needs none;
 * 2. what stands on stdin replaces `-`, and the command turns the values into its input;
 * 3. an operation passes the gate, a service serves, a stream is told until it ends;
 * 4. the output policy prints what came of it, and the connections are closed.
 *
 * @returns the exit code
 */
export async function runCommand(request: RunRequest, host: CliHost): Promise<number> {
  const command = chooseKind(request.command, request.values.options);
  if (command.kind === 'standalone') return await answer(command, request, host);
  const settings = await loadSettings({
    flags: { ...request.flags, ...pickSettings(command, request.values.options) },
    ...(host.env !== undefined && { env: host.env }),
    cwd: host.cwd,
  });
  const output = await createOutput(host.streams, { ...settings, clock: host.clock });
  for (const warning of settings.warnings) output.note(`warning: ${warning}`);
  const spool = wantsSpool(request) ? await (await import('./spool.ts')).spoolStdin(host.streams) : undefined;
  try {
    const given = { ...request.values, timeoutMs: settings.timeoutMs, ...(spool && { stdinFile: spool.path }) };
    return await runPrepared(command, await fillStdin(given, command, host), { settings, output, host });
  } finally {
    await spool?.remove();
  }
}

async function runPrepared(
  command: Exclude<Command, { kind: 'standalone' }>,
  values: Values,
  { settings, output, host }: Omit<CommandContext, 'session'>,
): Promise<number> {
  const input = command.toInput(values as Values<never>);
  assertWritable(command, settings);
  if (settings.profile?.by === 'use') output.note(`profile ${formatProfile(settings.profile)}`);
  const session = await host.openSession(
    chooseBroker(command, input, settings),
    await chooseSession(command, { input, options: values.options }, settings, output),
  );
  try {
    const context: CommandContext = { settings, session, output, host };
    if (command.kind !== 'service' || command.onlyLooks === true) keepHeapSmall();
    if (command.kind === 'service') return await command.serve(input, context);
    if (command.kind === 'stream') return await (await import('./run-stream.ts')).runStream(command, input, context);
    return await operate(command, input, context, values.options);
  } finally {
    output.clearProgress();
    await session.close();
  }
}

/** Whether what comes on stdin is put into a file for the command. */
function wantsSpool({ command, values }: RunRequest): boolean {
  return command.arguments?.some(({ stdin }, index) => stdin === 'file' && values.arguments[index] === '-') === true;
}

/** An operation between two brokers says itself which of them it is run on. */
function chooseBroker(command: Command, input: unknown, settings: Settings): Settings {
  const broker = command.kind === 'operation' ? command.brokerOf?.(input as never) : undefined;
  return broker === undefined ? settings : { ...settings, broker };
}

/** @throws READ_ONLY for a service that changes what a protected profile names */
function assertWritable(command: Command, { profile, write }: Settings): void {
  if (command.kind !== 'service' || command.changesBroker !== true) return;
  if (profile?.isProtected === true && !write) {
    throw createError('READ_ONLY', { operation: command.name, profile: profile.name });
  }
}

/** A command that is asked to go on telling is a stream. */
function chooseKind(command: Command, options: Values['options']): Command {
  if (command.kind !== 'operation' || command.stream?.isWanted(options as never) !== true) return command;
  return { ...command, ...command.stream, kind: 'stream' } as unknown as Command;
}

/** The banner of a service names its broker; for an operation a note does, when nobody chose it. */
async function chooseSession(
  command: Command,
  asked: Asked,
  { dryRun }: Settings,
  { note }: Output,
): Promise<SessionOptions> {
  if (command.kind === 'stream') return { onlyExisting: true, waitForFile: true, note };
  if (command.kind === 'service' && command.onlyLooks === true) return { onlyExisting: true, note };
  if (command.kind !== 'operation') return {};
  // Only what adds jobs, or was asked to make the tables, may make the file of a broker.
  return { onlyExisting: dryRun || (await command.operation(asked as never)).effect !== 'write', note };
}

/** Of the options of a command, those that are settings. */
function pickSettings(command: Command, options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (command.kind === 'service' && command.optionsAreSettings === true) return options;
  const names = (command.options ?? [])
    .filter(({ isSetting }) => isSetting === true)
    .map(({ flags }) => toProperty(flags));
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

async function answer(
  command: Extract<Command, { kind: 'standalone' }>,
  { values, flags }: RunRequest,
  host: CliHost,
): Promise<number> {
  const input = command.toInput({ ...values, timeoutMs: undefined } as Values<never>);
  const presentation = await command.answer(input, {
    host,
    flags,
    index: { commands: commandIndex, groups: commandGroups },
  });
  const output = await createOutput(host.streams, {
    json: flags.json === true,
    quiet: false,
    color: false,
    clock: host.clock,
  });
  output.print(presentation);
  return presentation.exitCode ?? 0;
}

async function operate(
  command: Extract<Command, { kind: 'operation' }>,
  input: unknown,
  context: CommandContext,
  options: Values['options'],
): Promise<number> {
  const [operation, { execute }] = await Promise.all([
    command.operation({ input, options } as never),
    import('../ops/gate.ts'),
  ]);
  const { settings, session, output, host } = context;
  const { profile, dryRun, yes } = settings;
  const confirm = createConfirm(host.ask, output, profile);
  const stopping = new Stopping(output.note, host.signals);
  const changing =
    operation.effect === 'read' ? undefined : new (await import('./changing.ts')).Changing(context, options);
  try {
    const execution = await execute(operation, input, {
      ...{ session, dryRun, yes, onProgress: output.progress },
      ...(confirm !== undefined && { confirm }),
      ...changing?.guards,
      get signal() {
        return stopping.signal;
      },
    });
    const presentation =
      execution.kind === 'planned'
        ? presentPlan(command.name, execution.plan)
        : command.present(execution.result, options as never);
    output.print(presentation);
    if (execution.kind === 'done') changing?.tellEnd(execution.stopped);
    const isStopped = execution.kind === 'done' && execution.stopped !== undefined;
    return presentation.exitCode ?? (isStopped ? 1 : 0);
  } finally {
    stopping.end();
  }
}

/** Only one option or argument can have it: stdin is read once. */
async function fillStdin(values: Values, command: Command, { streams }: CliHost): Promise<Values> {
  if (command.arguments?.some(({ stdin }) => stdin === true) && values.arguments.includes('-')) {
    const lines = (await readStdin(streams)).split('\n');
    return { ...values, arguments: values.arguments.flatMap((value) => (value === '-' ? lines : [value])) };
  }
  const keys = (command.options ?? []).filter(({ stdin }) => stdin === true).map(({ flags }) => toProperty(flags));
  const key = keys.find((name) => values.options[name] === '-');
  if (key === undefined) return values;
  return { ...values, options: { ...values.options, [key]: await readStdin(streams) } };
}

/** `--log-level` is `logLevel`, as commander has it. */
function toProperty(flags: string): string {
  return parseFlags(flags)
    .long.slice(2)
    .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

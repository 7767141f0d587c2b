import { Writable } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../../../src/engine/core/clock.ts';
import { HOOK_NAMES, type Hooks } from '../../../src/engine/events/hooks.ts';
import { createLogger } from '../../../src/engine/runtime/logger.ts';

/** A clock that stands still until it is moved. */
export interface FakeClock extends Clock {
  advance(ms: number): void;
}

export function createFakeClock(at = 1_700_000_000_000): FakeClock {
  let passed = 0;
  return {
    now: () => at + passed,
    monotonic: () => passed,
    advance: (ms) => {
      passed += ms;
    },
  };
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string; readonly level: string };

export interface RecordedLog {
  readonly logger: Logger;
  readonly lines: readonly LogLine[];
  /** The messages alone. */
  readonly messages: readonly string[];
}

/** A logger of tq whose lines are kept as they are written. */
export function recordLog(): RecordedLog {
  const lines: LogLine[] = [];
  const destination = new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      for (const line of text.split('\n')) if (line !== '') lines.push(JSON.parse(line) as LogLine);
      done();
    },
  });
  const { log } = createLogger({ level: 'debug', destination });
  return {
    logger: log,
    lines,
    get messages() {
      return lines.map(({ message }) => message);
    },
  };
}

export interface HookCall {
  readonly name: keyof Hooks;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Hooks that keep what they are told, in order; those that are given run after that. */
export function recordHooks(own: Hooks = {}): { hooks: Hooks; calls: HookCall[]; names: () => string[] } {
  const calls: HookCall[] = [];
  const hooks = Object.fromEntries(
    HOOK_NAMES.map((name) => [
      name,
      (event: Readonly<Record<string, unknown>>) => {
        calls.push({ name, event });
        return (own[name] as ((event: unknown) => unknown) | undefined)?.(event);
      },
    ]),
  ) as Hooks;
  return { hooks, calls, names: () => calls.map(({ name }) => name) };
}

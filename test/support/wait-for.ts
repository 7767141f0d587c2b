import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Bound in milliseconds; 10 seconds when absent. */
  readonly timeoutMs?: number;
  /** Pause between two looks in milliseconds; 25 when absent. */
  readonly everyMs?: number;
  /** Facts for the failure message that are only known when it fails: a log, the last value. */
  readonly detail?: () => string;
}

/**
 * Asks again and again until `look` gives something truthy, and returns it. Only for facts of another process, where no
 * event can be awaited; a look that throws counts as "not yet".
 *
 * @param awaited what is waited for, as the end of the sentence "waited 10000 ms for …"
 * @throws Error that says what was awaited, and what the last look threw
 */
export async function waitFor<Value>(
  awaited: string,
  look: () => Promise<Value> | Value,
  options: WaitOptions = {},
): Promise<Exclude<Value, false | null | undefined | 0 | ''>> {
  const { timeoutMs = 10_000, everyMs = 25, detail } = options;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const value = await look();
      if (value) return value as Exclude<Value, false | null | undefined | 0 | ''>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await sleep(everyMs);
  } while (performance.now() < deadline);
  const reason = lastError === undefined ? '' : `\nThe last look failed: ${String(lastError)}`;
  const facts = detail ? `\n${detail()}` : '';
  throw new Error(`waited ${timeoutMs} ms for ${awaited}${reason}${facts}`);
}

import { exactOptional, integer, maxValue, minValue, number, pipe, strictObject } from 'valibot';
import type { Finding } from '../engine/core/checkup/finding.ts';
import type { RemovedLeftovers } from '../engine/core/checkup/leftovers.ts';
import { MAX_TIMER_MS } from '../engine/core/duration.ts';
import { listFindings } from './checkup-facts.ts';
import { defineOperation } from './operation.ts';

export interface Checkup {
  readonly findings: readonly Finding[];
  /** Null when nothing was to be removed. */
  readonly removed: RemovedLeftovers | null;
}

export const checkupInput = strictObject({
  /** How long silent workers are waited for. */
  timeoutMs: exactOptional(pipe(number(), integer(), minValue(1), maxValue(MAX_TIMER_MS))),
});

export const runCheckup = defineOperation({
  name: 'run-checkup',
  effect: 'read',
  summary: 'Check the broker, its queues and the workers for what can harm jobs',
  input: checkupInput,
  async run(session, { timeoutMs }): Promise<Checkup> {
    return { findings: await listFindings(session, timeoutMs), removed: null };
  },
  commandLine: ({ timeoutMs }) => ['doctor', ...(timeoutMs === undefined ? [] : ['--timeout', `${timeoutMs}ms`])],
});

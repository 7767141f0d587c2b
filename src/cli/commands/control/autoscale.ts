import { createError } from '../../../engine/core/errors.ts';
import type { Values } from '../../command.ts';
import { defineControl } from '../../control-command.ts';
import { readInteger } from '../../option-values.ts';

export const controlAutoscale = defineControl({
  name: 'control autoscale',
  summary: 'Change the bounds of workers that change their slots by need',
  details: 'Of workers that were started with --autoscale, until they restart. New bounds hold at once.',
  arguments: [
    { name: '<max>', summary: 'slots at most' },
    { name: '<min>', summary: 'slots at least' },
  ],
  examples: [
    { command: 'tq control autoscale 20 4 --dry-run', does: 'only list whom it would ask' },
    { command: 'tq control autoscale 20 4', does: 'four to twenty slots for each' },
  ],
  operation: async () => (await import('../../../ops/autoscale-workers.ts')).autoscaleWorkers,
  read: readBounds,
  columns: [
    { key: 'max', title: 'MAX', as: 'number' },
    { key: 'min', title: 'MIN', as: 'number' },
    { key: 'concurrency', title: 'SLOTS', as: 'number' },
  ],
});

function readBounds([maxText, minText]: Values['arguments']): { max: number; min: number } {
  const max = readInteger(maxText, 'MAX', { min: 1, max: 10_000 }) ?? 1;
  const min = readInteger(minText, 'MIN', { min: 1, max: 10_000 }) ?? 1;
  if (min <= max) return { max, min };
  throw createError('INVALID_OPTION', { what: 'MIN', expected: `at most MAX, ${max}`, given: String(min) });
}

import { defineControl } from '../../control-command.ts';
import { readInteger } from '../../option-values.ts';

export const controlPoolShrink = defineControl({
  name: 'control pool-shrink',
  summary: 'Take slots from live workers',
  details: 'Until they restart. Jobs that run are not disturbed, and one slot always stays.',
  arguments: [{ name: '[number]', summary: 'how many fewer (default: 1)' }],
  examples: [
    { command: 'tq control pool-shrink --dry-run', does: 'only list whom it would ask' },
    { command: 'tq control pool-shrink 2 -d tq@web-1', does: 'two slots fewer for one worker' },
  ],
  operation: async () => (await import('../../../ops/shrink-pools.ts')).shrinkPools,
  read: ([by]) => ({ by: readInteger(by, 'the number of slots', { min: 1, max: 10_000 }) ?? 1 }),
  columns: [{ key: 'concurrency', title: 'SLOTS', as: 'number' }],
});

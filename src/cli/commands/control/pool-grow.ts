import { defineControl } from '../../control-command.ts';
import { readInteger } from '../../option-values.ts';

export const controlPoolGrow = defineControl({
  name: 'control pool-grow',
  summary: 'Give live workers more slots',
  details: 'Until they restart. With the pool prefork each slot is a child process, which takes a moment to start.',
  arguments: [{ name: '[number]', summary: 'how many more (default: 1)' }],
  examples: [
    { command: 'tq control pool-grow 2 --dry-run', does: 'only list whom it would ask' },
    { command: 'tq control pool-grow 2 -d tq@web-1', does: 'two more slots for one worker' },
  ],
  operation: async () => (await import('../../../ops/grow-pools.ts')).growPools,
  read: ([by]) => ({ by: readInteger(by, 'the number of slots', { min: 1, max: 10_000 }) ?? 1 }),
  columns: [{ key: 'concurrency', title: 'SLOTS', as: 'number' }],
});

import { defineControl } from '../../control-command.ts';

export const controlShutdown = defineControl({
  name: 'control shutdown',
  summary: 'Stop live workers as their first SIGTERM does',
  details: [
    'Each worker sends its receipt and then stops: no new jobs, running ones may end within its --shutdown-timeout, the rest',
    'goes back to the queue.',
  ].join('\n'),
  arguments: [],
  examples: [
    { command: 'tq control shutdown --dry-run', does: 'only list whom it would stop' },
    { command: 'tq control shutdown -d tq@web-1', does: 'stop one worker' },
    { command: 'tq control shutdown', does: 'stop all live workers' },
  ],
  operation: async () => (await import('../../../ops/shutdown-workers.ts')).shutdownWorkers,
  read: () => ({}),
  columns: [
    { key: 'stopping', title: 'STOPPING', as: 'flag' },
    { key: 'active', title: 'ACTIVE', as: 'number' },
  ],
});

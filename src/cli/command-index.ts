import type { CommandEntry, CommandGroup } from './command.ts';

export const commandGroups: readonly CommandGroup[] = [
  { name: 'inspect', summary: 'Look at queues, scheduled jobs and live workers', heading: 'Look' },
  { name: 'jobs', summary: 'Look at single jobs', heading: 'Look' },
  { name: 'control', summary: 'Tell live workers what to do', heading: 'Act' },
];

/** In the order of help. A new command is one new file and one line here. */
export const commandIndex: readonly CommandEntry[] = [
  {
    name: 'worker',
    summary: 'Run the jobs of queues until stopped',
    heading: 'Run',
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  {
    name: 'call',
    summary: 'Call a task: enqueue one job',
    heading: 'Run',
    load: async () => (await import('./commands/call.ts')).call,
  },
  {
    name: 'result',
    summary: 'Show the state and the result of a job',
    heading: 'Run',
    load: async () => (await import('./commands/result.ts')).result,
  },
  {
    name: 'demo',
    summary: 'Watch a worker at work, on a throw-away broker',
    heading: 'Run',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  {
    name: 'status',
    summary: 'Show the live workers and the queues in one view',
    heading: 'Look',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'events',
    summary: 'Tell what happens to jobs and workers, as it happens',
    heading: 'Look',
    load: async () => (await import('./commands/events.ts')).events,
  },
  {
    name: 'inspect queues',
    summary: 'List every queue of the broker, and the dead letters of all of them last',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/queues.ts')).inspectQueues,
  },
  {
    name: 'inspect scheduled',
    summary: 'List the jobs that wait for their time, the next due first',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/scheduled.ts')).inspectScheduled,
  },
  {
    name: 'inspect active',
    summary: 'List the jobs that the live workers run, and those that no live worker claims',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/active.ts')).inspectActive,
  },
  {
    name: 'inspect reserved',
    summary: 'List the jobs that the live workers have taken and not started',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/reserved.ts')).inspectReserved,
  },
  {
    name: 'inspect revoked',
    summary: 'List the revoked jobs that workers ended, and those that still lie in the broker',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/revoked.ts')).inspectRevoked,
  },
  {
    name: 'inspect registered',
    summary: 'List the tasks that the live workers register',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/registered.ts')).inspectRegistered,
  },
  {
    name: 'inspect stats',
    summary: 'Show what the live workers have done and what they use',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/stats.ts')).inspectStats,
  },
  {
    name: 'inspect conf',
    summary: 'Show the settings that the live workers run with',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/conf.ts')).inspectConf,
  },
  {
    name: 'inspect ping',
    summary: 'Ask the live workers whether they answer',
    heading: 'Look',
    load: async () => (await import('./commands/inspect/ping.ts')).inspectPing,
  },
  {
    name: 'jobs show',
    summary: 'Show everything about one job',
    heading: 'Look',
    load: async () => (await import('./commands/jobs/show.ts')).jobsShow,
  },
  {
    name: 'purge',
    summary: 'Remove the waiting and scheduled jobs of queues',
    heading: 'Act',
    load: async () => (await import('./commands/purge.ts')).purge,
  },
  {
    name: 'control revoke',
    summary: 'Revoke jobs: never start those that wait, abort those that run',
    heading: 'Act',
    load: async () => (await import('./commands/control/revoke.ts')).controlRevoke,
  },
  {
    name: 'control pool-grow',
    summary: 'Give live workers more slots',
    heading: 'Act',
    load: async () => (await import('./commands/control/pool-grow.ts')).controlPoolGrow,
  },
  {
    name: 'control pool-shrink',
    summary: 'Take slots from live workers',
    heading: 'Act',
    load: async () => (await import('./commands/control/pool-shrink.ts')).controlPoolShrink,
  },
  {
    name: 'control autoscale',
    summary: 'Change the bounds of workers that change their slots by need',
    heading: 'Act',
    load: async () => (await import('./commands/control/autoscale.ts')).controlAutoscale,
  },
  {
    name: 'control add-consumer',
    summary: 'Have live workers serve a further queue',
    heading: 'Act',
    load: async () => (await import('./commands/control/add-consumer.ts')).controlAddConsumer,
  },
  {
    name: 'control cancel-consumer',
    summary: 'Have live workers serve a queue no more',
    heading: 'Act',
    load: async () => (await import('./commands/control/cancel-consumer.ts')).controlCancelConsumer,
  },
  {
    name: 'control time-limit',
    summary: 'Change the time limits of a task in live workers',
    heading: 'Act',
    load: async () => (await import('./commands/control/time-limit.ts')).controlTimeLimit,
  },
  {
    name: 'control shutdown',
    summary: 'Stop live workers as their first SIGTERM does',
    heading: 'Act',
    load: async () => (await import('./commands/control/shutdown.ts')).controlShutdown,
  },
  {
    name: 'control call',
    summary: 'Ask live workers for a control command of their application',
    heading: 'Act',
    load: async () => (await import('./commands/control/call.ts')).controlCall,
  },
  {
    name: 'migrate',
    summary: 'Create or upgrade the schema of the broker',
    heading: 'Act',
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  {
    name: 'completion',
    summary: 'Print the completion script of a shell',
    heading: 'Set up',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  {
    name: '__complete',
    summary: 'Print names for the completion scripts',
    heading: 'Set up',
    hidden: true,
    load: async () => (await import('./commands/complete.ts')).complete,
  },
];

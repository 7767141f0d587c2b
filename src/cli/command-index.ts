import type { CommandEntry, CommandGroup } from './command.ts';

export const commandGroups: readonly CommandGroup[] = [
  { name: 'inspect', summary: 'Look at queues, scheduled jobs and live workers', heading: 'Look' },
  { name: 'jobs', summary: 'Look at single jobs', heading: 'Look' },
  { name: 'queue', summary: 'Pause and resume queues', heading: 'Act' },
  { name: 'task', summary: 'Pause and resume tasks', heading: 'Act' },
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
    name: 'queue pause',
    summary: 'Pause queues: no worker takes jobs of them',
    heading: 'Act',
    load: async () => (await import('./commands/queue/pause.ts')).queuePause,
  },
  {
    name: 'queue resume',
    summary: 'Resume queues that are paused',
    heading: 'Act',
    load: async () => (await import('./commands/queue/resume.ts')).queueResume,
  },
  {
    name: 'task pause',
    summary: 'Pause tasks in all queues, while other tasks run on',
    heading: 'Act',
    load: async () => (await import('./commands/task/pause.ts')).taskPause,
  },
  {
    name: 'task resume',
    summary: 'Resume paused tasks: their held jobs are the next of their queues',
    heading: 'Act',
    load: async () => (await import('./commands/task/resume.ts')).taskResume,
  },
  {
    name: 'control rate-limit',
    summary: 'Change how often live workers start a task, until they restart',
    heading: 'Act',
    load: async () => (await import('./commands/control/rate-limit.ts')).controlRateLimit,
  },
  {
    name: 'control shutdown',
    summary: 'Stop live workers as their first SIGTERM does',
    heading: 'Act',
    load: async () => (await import('./commands/control/shutdown.ts')).controlShutdown,
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

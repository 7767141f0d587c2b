import type { CommandEntry, CommandGroup } from './command.ts';

export const commandGroups: readonly CommandGroup[] = [
  { name: 'inspect', summary: 'Look at queues and scheduled jobs', heading: 'Look' },
  { name: 'jobs', summary: 'Look at single jobs', heading: 'Look' },
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
    summary: 'Show a worker, calls, retries and a dead letter on a throw-away broker',
    heading: 'Run',
    load: async () => (await import('./commands/demo.ts')).demo,
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

import type { TakenJob } from '../broker/port.ts';

/** What an attempt needs of its job, wherever it runs: in the process that took the job, or in a child of it. */
export type AttemptJob = Pick<
  TakenJob,
  | 'id'
  | 'task'
  | 'queue'
  | 'args'
  | 'meta'
  | 'createdAt'
  | 'attempts'
  | 'workersLost'
  | 'unreadable'
  | 'isPutBack'
  | 'revoked'
  | 'dropResult'
  | 'noteStart'
  | 'updateProgress'
  | 'readLog'
  | 'addMember'
>;

import type { TaskDefinition } from '../engine/task/definition.ts';
import type { Session } from './session.ts';

export type FindTask = (name: string) => TaskDefinition | undefined;

/**
 * The tasks that new arguments are checked by: those of the app of the project. Without one nothing is checked here; the worker
 * does, when it runs the job.
 *
 * @param isNeeded an app is loaded only when there is something to check
 * @throws APP_NOT_FOUND, APP_FAILED, APP_NOT_EXPORTED: an app that was named and cannot check is not passed over
 */
export async function findTasks(session: Session, isNeeded: boolean): Promise<FindTask> {
  if (!isNeeded) return () => undefined;
  const { tasks } = await session.app();
  return (name) => tasks.get(name);
}

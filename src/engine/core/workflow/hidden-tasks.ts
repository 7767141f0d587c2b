/**
 * Tasks of tq's own that workers run themselves, beside those that stand for a workflow and join its groups (graph.ts). Both run a task
 * over a list of items in one job, and give the list of its results. Arguments: the name of the task, and the items.
 */

/** Each item is the only argument. */
export const MAP_TASK = 'tq.map';
/** Each item is the list of the arguments. */
export const STARMAP_TASK = 'tq.starmap';

/** Whether the task runs another one over items. */
export function isMapping(task: string): boolean {
  return task === MAP_TASK || task === STARMAP_TASK;
}

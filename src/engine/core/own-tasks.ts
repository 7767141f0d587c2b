import { ALERT_TASK } from './alert-notice.ts';
import { JOIN_TASK, WORKFLOW_TASK } from './workflow/graph.ts';
import { MAP_TASK, STARMAP_TASK } from './workflow/hidden-tasks.ts';

const OWN_TASKS: ReadonlySet<string> = new Set([WORKFLOW_TASK, JOIN_TASK, MAP_TASK, STARMAP_TASK, ALERT_TASK]);

/** Whether workers run it themselves: it stands in no list of registered tasks. */
export function isOwnTask(name: string): boolean {
  return OWN_TASKS.has(name);
}

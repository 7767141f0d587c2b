import type { Broker } from '../../../src/engine/broker/port.ts';
import { inMemory, planWorkflow } from '../../../src/engine/canvas/entering.ts';
import { type GraphHead, jobIdOf, WorkflowStore } from '../../../src/engine/canvas/workflow-store.ts';
import type { JobSummary, NewJob } from '../../../src/engine/core/job.ts';
import {
  type GroupNode,
  type OuterPlace,
  type TaskNode,
  WORKFLOW_TASK,
  type WorkflowNode,
} from '../../../src/engine/core/workflow/graph.ts';

/** A graph as a test writes it down, and the jobs that it leads to. */
export interface Written {
  readonly head: GraphHead;
  readonly nodes: readonly WorkflowNode[];
  idOf(place: number): string;
  /** The job of a node, not added. */
  jobOf(place: number): BareJob;
  /** The job that stands for the whole. */
  anchor(): BareJob;
  save(store: WorkflowStore): Promise<void>;
  /** Writes it and adds its first jobs, as an app does. */
  send(broker: Broker): Promise<void>;
}

type BareJob = Pick<NewJob, 'id' | 'task' | 'args' | 'meta' | 'createdAt'>;

interface Writing {
  readonly id?: string;
  readonly queue?: string;
  readonly entry?: number;
  readonly exit?: number;
  /** Of the workflow that this graph takes a place in. */
  readonly within?: Written;
  readonly outer?: OuterPlace;
  readonly isSingle?: boolean;
  readonly createdAt?: number;
  readonly base?: GraphHead['base'];
}

/** The instant at which written workflows begin. */
export const BEGUN_AT = Date.parse('2031-05-01T12:00:00Z');

export const task = (name: string, given: Partial<TaskNode> = {}): TaskNode => ({
  kind: 'task',
  task: name,
  queue: 'default',
  args: [],
  ...given,
});

export const group = (members: readonly number[], given: Partial<GroupNode> = {}): GroupNode => ({
  kind: 'group',
  members,
  onError: 'fail',
  rest: 'leave',
  ...given,
});

let written = 0;

export function writeGraph(nodes: readonly WorkflowNode[], writing: Writing = {}): Written {
  const { queue = 'default', entry = 0, within, outer, isSingle = false } = writing;
  written += 1;
  const graph = writing.id ?? `0198f6a2-7c1e-7000-8000-${String(written).padStart(12, '0')}`;
  const workflow = within?.head.workflow ?? graph;
  const placed = nodes.map((node) => (node.kind === 'task' ? { ...node, queue } : node));
  const head: GraphHead = {
    workflow,
    graph,
    entry,
    exit: writing.exit ?? findExit(nodes, entry),
    size: nodes.length,
    createdAt: writing.createdAt ?? BEGUN_AT,
    queue: isSingle ? null : (within?.head.queue ?? queue),
    base: writing.base ?? {},
    ...(outer !== undefined && { outer }),
  };
  const job = (id: string, node: number | null, taskName: string): BareJob => ({
    id,
    task: taskName,
    args: [],
    createdAt: BEGUN_AT,
    meta: { workflow: { id: workflow, node, ...(graph !== workflow && { graph }) } },
  });
  const save = (store: WorkflowStore): Promise<void> =>
    store.save(head, { nodes: placed, entry: head.entry, exit: head.exit });
  return {
    head,
    nodes: placed,
    idOf: (place) => jobIdOf(head, place),
    jobOf(place) {
      const node = nodes[place];
      if (node?.kind !== 'task') throw new Error(`node ${place} is no task`);
      return job(jobIdOf(head, place), place, node.task);
    },
    anchor: () => job(workflow, null, WORKFLOW_TASK),
    save,
    async send(broker) {
      await save(new WorkflowStore(broker.state));
      await broker.addFlow(await planWorkflow(inMemory(head, placed), { now: head.createdAt }));
    },
  };
}

function findExit(nodes: readonly WorkflowNode[], entry: number): number {
  let place = entry;
  for (let next = nodes[place]?.next; next !== undefined; next = nodes[place]?.next) place = next;
  return place;
}

/** What became of a job, as a broker would say it. */
export function summaryOf(id: string, given: Partial<JobSummary> = {}): JobSummary {
  return {
    id,
    task: 'work',
    queue: 'default',
    state: 'PENDING',
    attempts: 0,
    worker: null,
    createdAt: BEGUN_AT,
    dueAt: null,
    startedAt: null,
    finishedAt: null,
    progress: null,
    error: null,
    fingerprint: null,
    reason: null,
    revoked: undefined,
    ...given,
  };
}

import type { Broker } from '../broker/port.ts';
import { type Duration, parseDuration } from '../core/duration.ts';
import { createError } from '../core/errors.ts';
import type { RevokedJob } from '../core/revocation.ts';
import { isFinished, type JobState } from '../core/state.ts';
import type { WorkflowProgress, WorkflowStep, WorkflowView } from '../core/workflow/workflow-view.ts';
import type { AsyncResult, FinishedPart, GroupResult, RetriedWorkflow } from '../results/async-result.ts';
import { type PartEnd, type Waiting, waitForPart } from './part-ends.ts';
import { readWorkflow } from './read-workflow.ts';
import { retryWorkflow } from './retry-workflow.ts';
import { listJobs, openWholeWorkflow, type WholeGraph, type WholeWorkflow } from './whole-workflow.ts';
import { KEPT_MS, WorkflowStore } from './workflow-store.ts';

export interface LiveWorkflowParts {
  readonly openBroker: () => Promise<Broker>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly resultOf: (id: string, queue: string | undefined) => AsyncResult;
  readonly cancel: (
    id: string,
    options: { readonly terminate: boolean; readonly timeoutMs: number | undefined },
  ) => Promise<readonly RevokedJob[]>;
}

const REMOVED_AT_ONCE = 20;

/** Builds what stands for a workflow; nothing is asked of the broker yet. */
export function createLiveWorkflow<Results extends readonly unknown[]>(
  id: string,
  parts: LiveWorkflowParts,
): GroupResult<Results> {
  return new LiveWorkflow<Results>(id, parts);
}

/** @returns the id of a group that was saved under this name; what is no such name is an id */
export async function readGroupName({ state }: Pick<Broker, 'state'>, name: string): Promise<string> {
  return (await state.read(nameKey(name)))?.value ?? name;
}

class LiveWorkflow<Results extends readonly unknown[]> implements GroupResult<Results> {
  readonly id: string;
  readonly #parts: LiveWorkflowParts;

  constructor(id: string, parts: LiveWorkflowParts) {
    this.id = id;
    this.#parts = parts;
  }

  async view(): Promise<WorkflowView> {
    const broker = await this.#parts.openBroker();
    const view = await readWorkflow(broker, new WorkflowStore(broker.state), this.id);
    if (view === undefined) throw createError('UNKNOWN_JOB', { id: this.id });
    return view;
  }

  /** One look at the job that stands for it tells the end. */
  async state(): Promise<JobState> {
    const own = await this.#result(undefined).state();
    return isFinished(own) ? own : (await this.view()).state;
  }

  async progress(): Promise<WorkflowProgress> {
    return (await this.view()).progress;
  }

  get({ timeout }: { timeout?: Duration } = {}): Promise<Results> {
    return this.#result(undefined).get(timeout === undefined ? {} : { timeout }) as Promise<Results>;
  }

  join(options?: { timeout?: Duration }): Promise<Results> {
    return this.get(options);
  }

  async ready(): Promise<boolean> {
    return isFinished(await this.state());
  }

  async waiting(): Promise<boolean> {
    return !(await this.ready());
  }

  async successful(): Promise<boolean> {
    return (await this.state()) === 'SUCCESS';
  }

  async failed(): Promise<boolean> {
    return (await this.state()) === 'FAILURE';
  }

  async completedCount(): Promise<number> {
    return partsOf((await this.view()).tree).filter(({ state }) => state === 'SUCCESS').length;
  }

  async children(): Promise<AsyncResult[]> {
    return partsOf((await this.view()).tree).flatMap((part) => {
      const last = lastJobOf(part);
      return last === undefined ? [] : [this.#parts.resultOf(last.id, last.queue)];
    });
  }

  async parent(): Promise<AsyncResult | undefined> {
    const { parentId } = (await this.#open()).own.head.base;
    return parentId === undefined ? undefined : this.#parts.resultOf(parentId, undefined);
  }

  async cancel({
    terminate = false,
    timeout,
  }: {
    terminate?: boolean;
    timeout?: Duration;
  } = {}): Promise<readonly RevokedJob[]> {
    const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout, 'timeout of cancel()');
    return await this.#parts.cancel(this.id, { terminate, timeoutMs });
  }

  revoke(options?: { terminate?: boolean; timeout?: Duration }): Promise<readonly RevokedJob[]> {
    return this.cancel(options);
  }

  async retryFailed(): Promise<RetriedWorkflow> {
    const broker = await this.#parts.openBroker();
    const store = new WorkflowStore(broker.state);
    const report = await retryWorkflow({ broker, store, now: this.#parts.now }, this.id);
    if (report === undefined) throw createError('UNKNOWN_JOB', { id: this.id });
    const ids = (jobs: typeof report.retried): string[] => jobs.map(({ id }) => id);
    return { retried: ids(report.retried), missed: ids(report.missed) };
  }

  async forget(): Promise<boolean> {
    const broker = await this.#parts.openBroker();
    const store = new WorkflowStore(broker.state);
    const workflow = await openWholeWorkflow(store, this.id);
    if (workflow === undefined || !(await this.ready())) return false;
    // The graph goes last: who is cut off can begin again.
    const jobs = listJobs(workflow).reverse();
    for (let from = 0; from < jobs.length; from += REMOVED_AT_ONCE) {
      const batch = jobs.slice(from, from + REMOVED_AT_ONCE);
      await Promise.all(batch.map(({ id, queue }) => broker.queue(queue).removeJob(id)));
    }
    await store.forget(this.id);
    return true;
  }

  async save(name?: string): Promise<string> {
    if (name === undefined) return this.id;
    const { state } = await this.#parts.openBroker();
    await state.write(nameKey(name), this.id, { ttlMs: KEPT_MS });
    return name;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FinishedPart, void, void> {
    const broker = await this.#parts.openBroker();
    const store = new WorkflowStore(broker.state);
    const workflow = await this.#open();
    const left = new AbortController();
    const waiting: Waiting = {
      broker,
      signal: left.signal,
      listAdded: async (graph, group) => (await openWholeWorkflow(store, this.id))?.listAdded(graph, group) ?? [],
    };
    try {
      yield* listEnds(waiting, workflow);
    } finally {
      left.abort();
    }
  }

  #result(queue: string | undefined): AsyncResult {
    return this.#parts.resultOf(this.id, queue);
  }

  async #open(): Promise<WholeWorkflow> {
    const broker = await this.#parts.openBroker();
    const workflow = await openWholeWorkflow(new WorkflowStore(broker.state), this.id);
    if (workflow === undefined) throw createError('UNKNOWN_JOB', { id: this.id });
    return workflow;
  }
}

/** What a workflow consists of, as its drawing has it. */
function partsOf(tree: WorkflowStep): readonly WorkflowStep[] {
  if (tree.kind === 'task') return [tree];
  return tree.children.filter(({ role }) => role === 'step' || role === 'added');
}

/** The job that gives the value of a part, if it is there: of a group that no job stands for, there is none. */
function lastJobOf(part: WorkflowStep): { readonly id: string; readonly queue: string } | undefined {
  if (part.kind === 'task') {
    return part.id === null || part.queue === null || part.createdAt === null
      ? undefined
      : { id: part.id, queue: part.queue };
  }
  const last =
    part.kind === 'chord'
      ? part.children.find(({ role }) => role === 'body')
      : part.kind === 'chain'
        ? part.children.findLast(({ role, createdAt }) => role === 'step' && createdAt !== null)
        : undefined;
  return last === undefined ? undefined : lastJobOf(last);
}

/** The ends of the parts: of a chain one after the other up to the first that gave no value, of a group as they come. */
async function* listEnds(waiting: Waiting, { own }: WholeWorkflow): AsyncGenerator<FinishedPart, void, void> {
  const links = [...listChain(own)];
  const [first] = links;
  const only = links.length === 1 && first !== undefined ? own.nodes[first] : undefined;
  if (only?.kind === 'group' && first !== undefined) {
    yield* listMemberEnds(waiting, own, { place: first, members: only.members });
    return;
  }
  for (const [index, place] of links.entries()) {
    const end = await waitForPart(waiting, own, place, true);
    if (end === undefined) return;
    yield { index, ...end };
    if (end.state !== 'SUCCESS') return;
  }
}

async function* listMemberEnds(
  waiting: Waiting,
  graph: WholeGraph,
  { place, members }: { readonly place: number; readonly members: readonly number[] },
): AsyncGenerator<FinishedPart, void, void> {
  yield* inOrderOfEnds(
    members.map((member) => () => waitForPart(waiting, graph, member)),
    0,
  );
  // A member adds others before it ends.
  for (let seen = 0; ; ) {
    const added = await waiting.listAdded(graph, place);
    if (added.length === seen) return;
    const waits = added.slice(seen).map((part) => () => waitForPart(waiting, part, part.head.entry));
    yield* inOrderOfEnds(waits, members.length + seen);
    seen = added.length;
  }
}

/** The parts of a chain: its nodes, of a group and its body the group. */
function* listChain({ nodes, head }: WholeGraph): Iterable<number> {
  for (let place: number | undefined = head.entry; place !== undefined; ) {
    yield place;
    const node: WholeGraph['nodes'][number] | undefined = nodes[place];
    const next: number | undefined = node?.next;
    const body: WholeGraph['nodes'][number] | undefined =
      node?.kind === 'group' && next !== undefined ? nodes[next] : undefined;
    place = body?.kind === 'task' && body.joins !== undefined ? body.next : next;
  }
}

type Wait = () => Promise<PartEnd | undefined>;

/** Gives what ends first, first. */
async function* inOrderOfEnds(waits: readonly Wait[], firstIndex: number): AsyncGenerator<FinishedPart, void, void> {
  const ended: FinishedPart[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => {};
  for (const [index, wait] of waits.entries()) {
    wait().then(
      (end) => {
        if (end !== undefined) ended.push({ index: firstIndex + index, ...end });
        wake();
      },
      (error) => {
        failure ??= { error };
        wake();
      },
    );
  }
  for (let given = 0; given < waits.length; ) {
    const part = ended[given];
    if (part !== undefined) {
      given += 1;
      yield part;
      continue;
    }
    if (failure !== undefined) throw failure.error;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

function nameKey(name: string): string {
  return `workflow-name/${encodeURIComponent(name)}`;
}

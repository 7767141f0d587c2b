/**
 * Draws a workflow: its flat graphs and the jobs that are there become one tree of chains, groups and chords. Pure.
 *
 * 1. From a node its chain is followed to the end. A group and the body that joins it are one chord; the task of tq's own that
 *    joins one group for another is not drawn.
 * 2. A node has been reached when the one before it has succeeded. What is not reached has no job and waits.
 * 3. A callback for errors that several nodes name is drawn once, below the innermost part that holds all of them.
 */
import type { JobSummary } from '../core/job.ts';
import { isFinished, type JobState } from '../core/state.ts';
import { type GroupNode, JOIN_TASK, type TaskNode } from '../core/workflow/graph.ts';
import type { WorkflowProgress, WorkflowStep } from '../core/workflow/workflow-view.ts';
import type { WholeGraph, WholeWorkflow } from './whole-workflow.ts';
import { jobIdOf } from './workflow-store.ts';

export interface Drawing {
  readonly tree: WorkflowStep;
  readonly progress: WorkflowProgress;
}

/** @param ended the state of the whole if it has ended: what it has not reached then, it never will */
export function drawWorkflow(
  workflow: WholeWorkflow,
  jobs: ReadonlyMap<string, JobSummary>,
  ended: JobState | undefined,
): Drawing {
  const drawer = new Drawer(workflow, jobs, ended);
  const tree = drawer.drawGraph(workflow.own, { role: 'step', isReached: true, isAside: false });
  return { tree, progress: drawer.countProgress() };
}

type Role = WorkflowStep['role'];

interface Way {
  readonly role: Role;
  readonly isReached: boolean;
  /** Nobody waits for it. */
  readonly isAside: boolean;
}

/** One part of a chain: a task, or a group with the task that joins it. */
type Link =
  | { readonly kind: 'task'; readonly place: number; readonly node: TaskNode }
  | { readonly kind: 'group'; readonly place: number; readonly node: GroupNode; readonly body: number | undefined };

/** Callbacks for errors that are not drawn yet, and how many of those that name each are below. */
type OpenErrors = Map<number, number>;

class Drawer {
  readonly #workflow: WholeWorkflow;
  readonly #jobs: ReadonlyMap<string, JobSummary>;
  readonly #ended: JobState | undefined;
  readonly #states: Partial<Record<JobState, number>> = {};

  constructor(workflow: WholeWorkflow, jobs: ReadonlyMap<string, JobSummary>, ended: JobState | undefined) {
    this.#workflow = workflow;
    this.#jobs = jobs;
    this.#ended = ended;
  }

  countProgress(): WorkflowProgress {
    let [done, total] = [0, 0];
    for (const [state, count = 0] of Object.entries(this.#states)) {
      total += count;
      if (isFinished(state as JobState)) done += count;
    }
    return { done, total, states: this.#states };
  }

  drawGraph(graph: WholeGraph, way: Way): WorkflowStep {
    const sketch = new GraphSketch(graph);
    return this.#drawChain(sketch, graph.head.entry, way, new Map());
  }

  #drawChain(sketch: GraphSketch, first: number, way: Way, above: OpenErrors): WorkflowStep {
    const links = sketch.listChain(first);
    const entered = this.#findEntered(sketch, links);
    const own: OpenErrors = new Map();
    const steps: WorkflowStep[] = [];
    let { isReached } = way;
    for (const [index, link] of links.entries()) {
      const role = links.length === 1 ? way.role : 'step';
      const isPassed = entered[index + 1] === true;
      const step =
        link.kind === 'task'
          ? this.#drawTask(sketch, link, { ...way, role, isReached, isPassed }, own)
          : this.#drawGroup(sketch, link, { ...way, role, isReached, isPassed }, own);
      steps.push(step);
      isReached = step.state === 'SUCCESS';
    }
    const [only] = steps;
    const callbacks = this.#drawErrors(sketch, own, above);
    if (steps.length === 1 && only !== undefined) return withChildren(only, callbacks);
    return combine('chain', way.role, steps, { state: chainState(steps), more: callbacks });
  }

  /** Whether each part of a chain has been entered: it has a job, or one after it has. */
  #findEntered(sketch: GraphSketch, links: readonly Link[]): boolean[] {
    const entered: boolean[] = [];
    for (let index = links.length - 1; index >= 0; index -= 1) {
      const link = links[index];
      entered[index] = entered[index + 1] === true || (link !== undefined && this.#isEntered(sketch, link));
    }
    return entered;
  }

  #isEntered(sketch: GraphSketch, link: Link): boolean {
    if (link.kind === 'task') return this.#jobs.has(jobIdOf(sketch.graph.head, link.place));
    if (link.body !== undefined && this.#jobs.has(jobIdOf(sketch.graph.head, link.body))) return true;
    return link.node.members.some((member) => sketch.listChain(member).some((inner) => this.#isEntered(sketch, inner)));
  }

  #drawTask(
    sketch: GraphSketch,
    { place, node }: { readonly place: number; readonly node: TaskNode },
    way: Way & { readonly isPassed: boolean },
    open: OpenErrors,
  ): WorkflowStep {
    const { graph } = sketch;
    const id = jobIdOf(graph.head, place);
    const job = this.#jobs.get(id);
    const { isAside } = way;
    const replacement = this.#workflow.replacementOf(graph, place);
    const children: WorkflowStep[] =
      replacement === undefined ? [] : [this.drawGraph(replacement, { role: 'replacement', isReached: true, isAside })];
    const ownState = job?.state ?? this.#stateWithoutJob(way);
    const state = ownState === 'BLOCKED' ? whileReplaced(children[0]?.state) : ownState;
    if (!isAside && node.task !== JOIN_TASK) this.#count(state);
    for (const link of node.links ?? []) {
      children.push(this.#drawChain(sketch, link, asideOf('link', state === 'SUCCESS'), open));
    }
    for (const error of node.linkErrors ?? []) open.set(error, (open.get(error) ?? 0) + 1);
    return {
      kind: 'task',
      role: way.role,
      id,
      task: node.task,
      queue: node.queue,
      state,
      attempts: job?.attempts ?? 0,
      worker: job?.worker ?? null,
      createdAt: job?.createdAt ?? null,
      dueAt: job?.dueAt ?? null,
      startedAt: job?.startedAt ?? null,
      finishedAt: job?.finishedAt ?? null,
      progress: job?.progress ?? null,
      error: job?.error ?? null,
      reason: job?.reason ?? null,
      onError: null,
      children,
    };
  }

  #stateWithoutJob({ isReached, isPassed, isAside }: Way & { readonly isPassed: boolean }): JobState {
    if (isPassed) return 'SUCCESS';
    if (isAside) return isReached ? 'UNKNOWN' : 'BLOCKED';
    if (isReached) return this.#ended === 'SUCCESS' ? 'SUCCESS' : 'UNKNOWN';
    return this.#ended === 'REVOKED' ? 'REVOKED' : 'BLOCKED';
  }

  #drawGroup(
    sketch: GraphSketch,
    { place, node, body }: Extract<Link, { kind: 'group' }>,
    way: Way & { readonly isPassed: boolean },
    open: OpenErrors,
  ): WorkflowStep {
    const { isReached, isAside } = way;
    const bodyNode = body === undefined ? undefined : sketch.graph.nodes[body];
    const join = bodyNode?.kind === 'task' && body !== undefined ? { place: body, node: bodyNode } : undefined;
    const own: OpenErrors = new Map();
    const members = node.members.map((member) =>
      this.#drawChain(sketch, member, { role: 'step', isReached, isAside }, own),
    );
    const added = this.#workflow
      .listAdded(sketch.graph, place)
      .map((graph) => this.drawGraph(graph, { role: 'added', isReached: true, isAside }));
    const parts = [...members, ...added];
    const state = groupState(node, parts, isReached);
    const callbacks = this.#drawErrors(sketch, own, open);
    const { onError } = node;
    if (join === undefined) return combine('group', way.role, parts, { state, onError, more: callbacks });
    const joined = this.#drawTask(sketch, join, { ...way, role: 'body', isReached: state === 'SUCCESS' }, open);
    // The body of a group that fails is started all the same, and says so.
    const whole = isFinished(joined.state) || isFinished(state) ? afterMembers(joined.state, state) : state;
    const isHidden = join.node.task === JOIN_TASK;
    return isHidden
      ? combine('group', way.role, parts, { state: whole, onError, more: callbacks })
      : combine('chord', way.role, [...parts, joined], { state: whole, onError, more: callbacks });
  }

  /** Draws the callbacks of which all who name them are below, and leaves the others to the part above. */
  #drawErrors(sketch: GraphSketch, own: OpenErrors, above: OpenErrors): WorkflowStep[] {
    const drawn: WorkflowStep[] = [];
    for (const [place, count] of own) {
      if (count < sketch.countNamers(place)) above.set(place, (above.get(place) ?? 0) + count);
      else drawn.push(this.#drawChain(sketch, place, asideOf('linkError', false), new Map()));
    }
    return drawn;
  }

  #count(state: JobState): void {
    this.#states[state] = (this.#states[state] ?? 0) + 1;
  }
}

/** What is read off a graph alone. */
class GraphSketch {
  readonly graph: WholeGraph;
  #namers: ReadonlyMap<number, number> | undefined;

  constructor(graph: WholeGraph) {
    this.graph = graph;
  }

  listChain(first: number): Link[] {
    const { nodes } = this.graph;
    const links: Link[] = [];
    let place: number | undefined = first;
    // A stored graph has no cycles; one that was tampered with must not hang who looks at it.
    while (place !== undefined && links.length <= nodes.length) {
      const node: WholeGraph['nodes'][number] | undefined = nodes[place];
      if (node === undefined) break;
      if (node.kind === 'task') {
        links.push({ kind: 'task', place, node });
        place = node.next;
        continue;
      }
      const next: WholeGraph['nodes'][number] | undefined = node.next === undefined ? undefined : nodes[node.next];
      const body = next?.kind === 'task' && next.joins === place ? node.next : undefined;
      links.push({ kind: 'group', place, node, body });
      place = body === undefined ? node.next : next?.next;
    }
    return links;
  }

  /** How many nodes call this one back when they fail. */
  countNamers(place: number): number {
    if (this.#namers === undefined) {
      const namers = new Map<number, number>();
      for (const node of this.graph.nodes) {
        for (const named of (node.kind === 'task' && node.linkErrors) || []) {
          namers.set(named, (namers.get(named) ?? 0) + 1);
        }
      }
      this.#namers = namers;
    }
    return this.#namers.get(place) ?? 0;
  }
}

function asideOf(role: Role, isReached: boolean): Way {
  return { role, isReached, isAside: true };
}

function withChildren(step: WorkflowStep, more: readonly WorkflowStep[]): WorkflowStep {
  return more.length === 0 ? step : { ...step, children: [...step.children, ...more] };
}

/** A job waits for what it has replaced itself by, whose value becomes its own. */
function whileReplaced(replacement: JobState | undefined): JobState {
  return replacement === undefined ? 'BLOCKED' : 'STARTED';
}

/** A chain ends with its first step that gave no value; else it is where its first unfinished step is, once one has begun. */
function chainState(steps: readonly WorkflowStep[]): JobState {
  const open = steps.find(({ state }) => state !== 'SUCCESS');
  if (open === undefined) return 'SUCCESS';
  if (isFinished(open.state)) return open.state;
  return open === steps[0] ? begun(open.state) : 'STARTED';
}

function groupState({ onError }: GroupNode, parts: readonly WorkflowStep[], isReached: boolean): JobState {
  if (parts.length === 0) return isReached ? 'SUCCESS' : 'BLOCKED';
  const bad = parts.find(({ state }) => isFinished(state) && state !== 'SUCCESS');
  if (onError === 'fail' && bad !== undefined) return bad.state === 'REVOKED' ? 'REVOKED' : 'FAILURE';
  if (parts.every(({ state }) => isFinished(state))) return 'SUCCESS';
  const states = new Set(parts.map(({ state }) => begun(state)));
  if (states.has('STARTED') || states.has('SUCCESS') || bad !== undefined) return 'STARTED';
  for (const state of ['PENDING', 'SCHEDULED', 'UNKNOWN'] as const) if (states.has(state)) return state;
  return 'BLOCKED';
}

/** What waits for its next attempt has begun. */
function begun(state: JobState): JobState {
  return state === 'RETRY' ? 'STARTED' : state;
}

/** The state of a chord once its members or its body have ended. */
function afterMembers(body: JobState, members: JobState): JobState {
  if (isFinished(body)) return body;
  return members === 'SUCCESS' ? 'STARTED' : members;
}

interface Whole {
  readonly state: JobState;
  readonly onError?: WorkflowStep['onError'];
  readonly more?: readonly WorkflowStep[];
}

function combine(
  kind: WorkflowStep['kind'],
  role: Role,
  parts: readonly WorkflowStep[],
  { state, onError = null, more = [] }: Whole,
): WorkflowStep {
  return {
    kind,
    role,
    id: null,
    task: null,
    queue: null,
    state,
    attempts: 0,
    worker: null,
    createdAt: earliest(parts.map(({ createdAt }) => createdAt)),
    dueAt: null,
    startedAt: earliest(parts.map(({ startedAt }) => startedAt)),
    finishedAt: isFinished(state) && !parts.some(goesOn) ? latest(parts.map(({ finishedAt }) => finishedAt)) : null,
    progress: null,
    error: null,
    reason: null,
    onError,
    children: [...parts, ...more],
  };
}

/** A part whose outcome is known may have others below it that still run. */
function goesOn({ state, startedAt, finishedAt }: WorkflowStep): boolean {
  if (finishedAt !== null || state === 'BLOCKED' || state === 'UNKNOWN') return false;
  return startedAt !== null || !isFinished(state);
}

function earliest(instants: readonly (number | null)[]): number | null {
  return instants.reduce((first, at) => (at === null || (first !== null && first <= at) ? first : at), null);
}

function latest(instants: readonly (number | null)[]): number | null {
  return instants.reduce((last, at) => (at === null || (last !== null && last >= at) ? last : at), null);
}

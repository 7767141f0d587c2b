/**
 * The jobs of workflows in one worker, around their attempts:
 *
 * 1. before: a job whose value is made of its children's is given them. The jobs of tq's own, which stand for a workflow or join a
 *    group, end here; a body goes on to its pool with its arguments; one that a member failed is a dead letter;
 * 2. the attempt, as any other job's;
 * 3. after: what follows is added, before the outcome is stored. A worker that dies in between leaves the job to run again, and what
 *    is added again is there already;
 * 4. a job that had failed and succeeds now lets its parent start again, if that had failed for it. So whoever retries a dead
 *    letter, by whatever tool, leads the whole workflow on.
 *
 * The broker is waited for as long as the lock of the job is renewed; a worker that must end hands the job back instead.
 */
import type { Logger } from 'pino';
import type { Broker, FlowJob, TakenJob } from '../../broker/port.ts';
import {
  addMember,
  findWaiting,
  type Leading,
  listGroupsAround,
  planErrorCallbacks,
  planFollowing,
  replaceJob,
  type StepPlace,
} from '../../canvas/leading-on.ts';
import { fitPriorities } from '../../canvas/step-priorities.ts';
import { WorkflowStore } from '../../canvas/workflow-store.ts';
import type { Clock } from '../../core/clock.ts';
import { createError, TqError } from '../../core/errors.ts';
import { type Outcome, type StoredError, toStoredError } from '../../core/job.ts';
import { revokedOutcome } from '../../core/revocation.ts';
import { JOIN_TASK, WORKFLOW_TASK, type WorkflowGraph, type WorkflowPlace } from '../../core/workflow/graph.ts';
import type { Hooks } from '../../events/hooks.ts';
import type { TaskDefinition } from '../../task/definition.ts';
import { handBack } from '../at-most-once.ts';
import { createReporter, type Reporter } from '../attempt-report.ts';
import { RunningTask } from '../running-task.ts';
import { cancelRest, isCancelled } from './cancelled-rest.ts';
import { joinChildren } from './joining.ts';
import { createPatience, GIVEN_UP, type Patience } from './patience.ts';

export interface WorkflowsOptions {
  readonly worker: string;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: Hooks;
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  /** How long a workflow that has succeeded is remembered, in seconds: as long as results are. */
  readonly keepResultSeconds: number;
}

const RELEASED: Outcome = { kind: 'released' };
/** Of a group without members. */
const EMPTY: Outcome = { kind: 'succeeded', result: [] };

export class Workflows {
  readonly #options: WorkflowsOptions;
  readonly #store: WorkflowStore;
  readonly #reporter: Reporter;
  readonly #patience: Patience;

  constructor(options: WorkflowsOptions) {
    this.#options = options;
    this.#store = new WorkflowStore(options.broker.state);
    this.#reporter = createReporter(options);
    this.#patience = createPatience(options);
  }

  /** Whether this job is any of its business. */
  concerns({ meta }: TakenJob): boolean {
    return meta.workflow !== undefined;
  }

  /** Nothing waits for the broker any more: jobs that are looked at go back to their queues. */
  abandon(): void {
    this.#patience.giveUp();
  }

  /** Runs an attempt of a job. Never rejects if `attempt` does not. */
  async perform(job: TakenJob, attempt: () => Promise<Outcome>): Promise<Outcome> {
    let added = 0;
    job.addMember = async (graph) => {
      added += 1;
      return await this.#addMember(job, graph, added - 1);
    };
    const early = await this.#guard(job, RELEASED, () => this.#prepare(job));
    return await this.end(job, early ?? (await attempt()));
  }

  /** What is done when an attempt has ended. @returns what the broker is told; never rejects */
  async end(job: TakenJob, outcome: Outcome): Promise<Outcome> {
    const definition = this.#options.tasks.get(job.task);
    const unended = definition === undefined ? RELEASED : handBack(definition);
    return (await this.#guard(job, unended, () => this.#leadOn(job, outcome))) ?? outcome;
  }

  /**
   * What happens here in spite of the design makes the job a dead letter that says it, and never loses it.
   *
   * @param unended what becomes of a job that is given up
   */
  async #guard(job: TakenJob, unended: Outcome, act: () => Promise<Outcome | undefined>): Promise<Outcome | undefined> {
    try {
      return await act();
    } catch (error) {
      if (error === GIVEN_UP) return unended.kind === 'released' ? unended : await this.#report(job, unended);
      return await this.#report(job, { kind: 'dead', error: toStoredError(error) });
    }
  }

  async #prepare(job: TakenJob): Promise<Outcome | undefined> {
    const place = job.meta.workflow;
    if (place?.joins !== true) return undefined;
    const isOwn = job.task === WORKFLOW_TASK || job.task === JOIN_TASK;
    if (job.revoked !== undefined) return isOwn || place.replaced ? revokedOutcome(job.revoked) : undefined;
    const joined = await this.#patience.wait('reading what the members of a workflow came to', job, () =>
      joinChildren(job, place, { broker: this.#options.broker, store: this.#store }),
    );
    switch (joined.kind) {
      case 'pending':
        return { kind: 'blocked' };
      case 'value':
        return { kind: 'succeeded', result: joined.value };
      case 'arguments':
        job.args = joined.args;
        return undefined;
      case 'fault':
        return await this.#fail(job, toStoredError(joined.error));
    }
  }

  /** A job of tq's own that stands for a workflow is no dead letter: what failed is the step. */
  #fail(job: TakenJob, error: StoredError): Promise<Outcome> {
    return this.#report(job, job.task === WORKFLOW_TASK ? { kind: 'failed', error } : { kind: 'dead', error });
  }

  async #leadOn(job: TakenJob, outcome: Outcome): Promise<Outcome | undefined> {
    const place = job.meta.workflow;
    switch (outcome.kind) {
      case 'replaced':
        // Nothing to wait for: a group without members.
        if (hasSteps(outcome.graph)) return await this.#replace(job, outcome.graph);
        return (await this.#leadOn(job, EMPTY)) ?? EMPTY;
      case 'succeeded':
        if (isStep(place)) await this.#follow(job, place, outcome.result);
        else if (place !== undefined) this.#forgetLater(job, place);
        return undefined;
      case 'dead':
        if (isStep(place)) await this.#callBack(job, place, outcome.error);
        return undefined;
      default:
        return undefined;
    }
  }

  async #follow(job: TakenJob, place: StepPlace, value: unknown): Promise<void> {
    if (place.last === true && job.stacks.length === 0) return;
    await this.#patience.wait('adding what follows the job', job, async () => {
      const isOver = await isCancelled(this.#store, await this.#groupsAround(place));
      if (!isOver) await this.#add(job, await planFollowing(place, value, this.#leading(job)));
      if (job.stacks.length > 0) await this.#reopen(place);
    });
  }

  async #groupsAround(place: StepPlace) {
    return place.last === true ? [] : await listGroupsAround(this.#store, place);
  }

  /** It may have made its parent fail before. */
  async #reopen(place: StepPlace): Promise<void> {
    const parent = await findWaiting(this.#store, place);
    if (parent === undefined) return;
    const queue = this.#options.broker.queue(parent.queue);
    const stored = await queue.readJob(parent.id);
    if (stored?.state !== 'FAILURE' || stored.error?.code !== 'MEMBER_FAILED') return;
    // A body that has run meanwhile is not run twice; the job that stands for the whole is no dead letter, and only looks again.
    await queue.reprocess(parent.id, { onlyDead: stored.task !== WORKFLOW_TASK });
  }

  async #callBack(job: TakenJob, place: StepPlace, error: StoredError): Promise<void> {
    const { id, task } = job;
    const { name, message, code } = error;
    const failed = { id, task, error: { name, message, code } };
    try {
      await this.#patience.wait('calling back for the failed job', job, async () => {
        await this.#add(job, await planErrorCallbacks(place, failed, this.#leading(job)));
        await cancelRest(place, job, { ...this.#options, store: this.#store });
      });
    } catch (problem) {
      if (problem === GIVEN_UP) throw problem;
      // What it failed with is worth more than that nobody can be told.
      const { logger } = this.#options;
      logger.error({ err: problem, task_id: id, task_name: task }, 'the callbacks of a failed job could not be added');
    }
  }

  async #replace(job: TakenJob, graph: WorkflowGraph): Promise<Outcome> {
    const place = job.meta.workflow;
    const { requestId, rootId, parentId, headers } = job.meta;
    const base = {
      ...(requestId !== undefined && { requestId }),
      ...(rootId !== undefined && { rootId }),
      ...(parentId !== undefined && { parentId }),
      ...(headers !== undefined && { headers }),
    };
    const step = isStep(place) ? place : undefined;
    const own: WorkflowPlace = step ?? { id: job.id, node: null };
    await this.#patience.wait('replacing the job by a workflow', job, async () => {
      const replaced = { queue: job.queue, place: step, base };
      await this.#add(job, await replaceJob(replaced, graph, this.#leading(job)));
      await job.updateMeta({ ...job.meta, workflow: { ...own, joins: true, replaced: true } });
    });
    return { kind: 'blocked' };
  }

  async #addMember(job: TakenJob, graph: WorkflowGraph, count: number): Promise<void> {
    const place = job.meta.workflow;
    const jobs = isStep(place) ? await addMember(place, graph, { ...this.#leading(job), count }) : undefined;
    if (jobs === undefined) throw createError('NO_GROUP', { task: job.task, id: job.id });
    await this.#add(job, jobs);
  }

  async #add(job: TakenJob, planned: readonly FlowJob[]): Promise<void> {
    if (planned.length === 0) return;
    const { broker, logger } = this.#options;
    const jobs = await fitPriorities(planned, (queue) => broker.queue(queue).hasPriorities());
    try {
      await broker.addFlow(jobs);
    } catch (error) {
      if (!(error instanceof TqError) || error.code !== 'PARENT_MISSING') throw error;
      // Who waited for it was removed, or its result has expired. The steps go on without.
      logger.warn(
        { err: error, task_id: job.id, task_name: job.task },
        'nobody waits for the workflow any more; it goes on',
      );
      const ids = new Set(jobs.map(({ job: { id } }) => id));
      await broker.addFlow(jobs.map((flow) => withoutParent(flow, ids)));
    }
  }

  #leading({ id }: TakenJob): Leading {
    return { store: this.#store, now: this.#options.clock.now(), leader: id };
  }

  #forgetLater({ id }: TakenJob, place: WorkflowPlace): void {
    const { keepResultSeconds, logger } = this.#options;
    if (place.id !== id) return;
    this.#store
      .keepFor(place.id, keepResultSeconds * 1000)
      .catch((error) =>
        logger.debug({ err: error, task_id: id }, 'the graph of the workflow stays for its longest time'),
      );
  }

  async #report(job: TakenJob, outcome: Outcome): Promise<Outcome> {
    return await this.#reporter.ended(new RunningTask(job, this.#options.worker, this.#options.logger), outcome);
  }
}

function hasSteps({ nodes }: WorkflowGraph): boolean {
  return nodes.some(({ kind }) => kind === 'task');
}

function isStep(place: WorkflowPlace | undefined): place is StepPlace {
  return place !== undefined && place.node !== null;
}

function withoutParent(flow: FlowJob, ids: ReadonlySet<string>): FlowJob {
  const { parent, ...job } = flow.job;
  return parent === undefined || ids.has(parent.id) ? flow : { ...flow, job };
}

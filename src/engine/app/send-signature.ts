import type { Broker } from '../broker/port.ts';
import { compile } from '../canvas/compile.ts';
import { inMemory, planWorkflow } from '../canvas/entering.ts';
import { assertArguments, listMapped } from '../canvas/graph-arguments.ts';
import { type AnySignature, isSignature, type SendOptions } from '../canvas/signature.ts';
import type { SignatureContent, StepContent } from '../canvas/signature-content.ts';
import { toCallOptions } from '../canvas/signature-options.ts';
import { type CompileContext, taskOf } from '../canvas/step-node.ts';
import { fitPriorities } from '../canvas/step-priorities.ts';
import { signatureFrom } from '../canvas/stored-signature.ts';
import { createHead } from '../canvas/workflow-head.ts';
import { WorkflowStore } from '../canvas/workflow-store.ts';
import type { Clock } from '../core/clock.ts';
import { createJobId } from '../core/job-id.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import { WORKFLOW_TASK, type WorkflowBase, type WorkflowGraph } from '../core/workflow/graph.ts';
import { isMapping } from '../core/workflow/hidden-tasks.ts';
import type { AsyncResult } from '../results/async-result.ts';
import { hasSchema, parseArguments } from '../task/arguments.ts';
import { assertHeaders, assertText } from '../task/call-checks.ts';
import { currentContext } from '../task/context.ts';
import type { CallOptions } from './call-options.ts';

/** What sending a signature needs of the app. */
export interface SignatureParts {
  readonly clock: Clock;
  readonly facts: Omit<CompileContext, 'now'>;
  broker(): Promise<Broker>;
  /** @throws PRIORITIES_OFF when the queue has none and one is wanted */
  checkPriority(queue: string, wish: { readonly task: string; readonly wanted: number | undefined }): Promise<unknown>;
  /** Sends a plain call. */
  send(task: string, args: readonly unknown[], options: CallOptions): Promise<AsyncResult<unknown>>;
  result(job: { readonly id: string; readonly task: string; readonly queue: string }): AsyncResult<unknown>;
}

type Input = { readonly value: unknown } | undefined;

/** Sends a signature: a plain call if it is of one task without callbacks, else a workflow. */
export async function sendSignature(
  parts: SignatureParts,
  signature: AnySignature,
  { options, input }: { readonly options: SendOptions; readonly input: Input },
): Promise<AsyncResult<unknown>> {
  assertSendOptions(options);
  const step = readOnlyStep(signature.content);
  return step === undefined
    ? await sendWorkflow(parts, signature, { options, input })
    : await sendStep(parts, step, { options, input });
}

const OWNER = 'a workflow';

function assertSendOptions(options: SendOptions): void {
  assertKnownOptions(options, ['requestId', 'headers'], OWNER);
  if (options.requestId !== undefined) assertText(options.requestId, `requestId of ${OWNER}`);
  if (options.headers !== undefined) assertHeaders(options.headers, OWNER);
}

/** The step that a signature consists of; undefined for any that has more, or callbacks. */
function readOnlyStep(content: SignatureContent): StepContent | undefined {
  let only = content;
  for (;;) {
    if ((only.links?.length ?? 0) > 0 || (only.linkErrors?.length ?? 0) > 0) return undefined;
    if (only.kind === 'task') return only;
    const [first, second] = only.kind === 'chain' ? only.steps : [];
    if (first === undefined || second !== undefined) return undefined;
    only = first;
  }
}

async function sendStep(
  { facts, send }: SignatureParts,
  step: StepContent,
  { options, input }: { readonly options: SendOptions; readonly input: Input },
): Promise<AsyncResult<unknown>> {
  const args = input === undefined || step.immutable === true ? step.args : [input.value, ...step.args];
  const own = toCallOptions(step.options ?? {});
  const headers = options.headers === undefined ? own.headers : { ...options.headers, ...own.headers };
  return await send(step.task, args, {
    ...(isMapping(step.task) ? await readMapping(facts, step) : {}),
    ...own,
    ...(headers !== undefined && { headers }),
    ...(options.requestId !== undefined && { requestId: options.requestId }),
  });
}

/** A task over items goes where the task does, and its items are checked as calls of it. */
async function readMapping(facts: SignatureParts['facts'], step: StepContent): Promise<CallOptions> {
  const { queue, definition } = facts.resolve(taskOf(step));
  if (definition === undefined) return { queue };
  if (hasSchema(definition)) {
    for (const args of listMapped(step.task, step.args)) await parseArguments(definition, args, 'calling');
  }
  const { priority, expiresMs, keepResultSeconds } = definition;
  return {
    queue,
    ...(priority !== undefined && { priority }),
    ...(expiresMs !== undefined && { expires: expiresMs }),
    ...(typeof keepResultSeconds === 'number' && { resultExpires: keepResultSeconds * 1000 }),
  };
}

/**
 * 1. Mistakes are found before anything is connected: the graph is compiled, and what is known of the arguments checked.
 * 2. The graph is written before the first of its jobs is added.
 * 3. The job that stands for the workflow and its first jobs are added at once: all of them or none.
 */
async function sendWorkflow(
  parts: SignatureParts,
  signature: AnySignature,
  { options, input }: { readonly options: SendOptions; readonly input: Input },
): Promise<AsyncResult<unknown>> {
  const base = createBase(options);
  const graph = compileHere(parts, signature);
  await assertArguments(graph, { definitionOf: (task) => parts.facts.resolve(task).definition, input });
  const broker = await parts.broker();
  await checkPriorities(parts, graph);
  // The first contact takes time, which is none of the steps'.
  const now = parts.clock.now();
  const fallbackQueue = (): string => parts.facts.resolve(WORKFLOW_TASK).queue;
  const head = createHead(graph, { id: createJobId(now), now, base, fallbackQueue });
  const exit = graph.nodes[graph.exit];
  const priority = exit?.kind === 'task' ? exit.options?.priority : undefined;
  const jobs = await planWorkflow(inMemory(head, graph.nodes), { now, priority, input });
  const fitted = await fitPriorities(jobs, (queue) => broker.queue(queue).hasPriorities());
  await new WorkflowStore(broker.state).save(head, graph);
  await broker.addFlow(fitted);
  return createWorkflowResult(parts, fitted[0]);
}

/** The result of a workflow is that of the job that stands for it. */
function createWorkflowResult(
  { result }: SignatureParts,
  first: Awaited<ReturnType<typeof planWorkflow>>[number] | undefined,
): AsyncResult<unknown> {
  return result({ id: first?.job.id ?? '', task: first?.job.task ?? '', queue: first?.queue ?? '' });
}

/** The graph of a signature, also of one that another copy of the package made. */
export function compileHere({ facts, clock }: CompileParts, signature: { toJSON(): unknown }): WorkflowGraph {
  const known = isSignature(signature) ? signature : signatureFrom(signature.toJSON());
  return compile(known, { ...facts, now: clock.now() });
}

type CompileParts = Pick<SignatureParts, 'facts' | 'clock'>;

/** What all jobs of the workflow have: what is given, else that of the running task. */
function createBase({ requestId, headers }: SendOptions): WorkflowBase {
  const parent = currentContext();
  const request = requestId ?? parent?.requestId;
  return {
    ...(request !== undefined && { requestId: request }),
    ...(parent !== undefined && { rootId: parent.rootId, parentId: parent.id }),
    ...(headers !== undefined && { headers }),
  };
}

/** Every queue of the workflow is asked once; a step that is entered later must not find that it cannot have its priority. */
async function checkPriorities({ checkPriority }: SignatureParts, { nodes }: WorkflowGraph): Promise<void> {
  const wishes = new Map<string, { task: string; wanted: number | undefined }>();
  for (const node of nodes) {
    if (node.kind === 'group') continue;
    const wanted = node.options?.priority;
    if (wishes.get(node.queue)?.wanted === undefined) wishes.set(node.queue, { task: node.task, wanted });
  }
  for (const [queue, wish] of wishes) await checkPriority(queue, wish);
}

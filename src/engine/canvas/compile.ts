/**
 * How a signature becomes a graph: without I/O, in time that grows with the number of steps alone.
 *
 * 1. A chain is read from its first step to its last, chains in it as if their steps stood there; each step is made the `next` of the one
 *    before. A step after a group is its body; before a group that follows a group, one that joins is put in between.
 * 2. The members of a group are each compiled as a workflow of their own `within` it.
 * 3. Callbacks are compiled apart, `aside`: `link` for the last step (after a group, one that joins), `linkError` once, and then named by
 *    every step that it is for: those of a chain, the body of a chord, the steps of the members of a group without a body.
 */
import { createError } from '../core/errors.ts';
import { type GroupNode, JOIN_TASK, type TaskNode, type WorkflowGraph } from '../core/workflow/graph.ts';
import type { AnySignature } from './signature.ts';
import { type GroupContent, MAX_LEVELS, type SignatureContent, type StepContent } from './signature-content.ts';
import { type CompileContext, createStepNodes } from './step-node.ts';

/** More steps in one workflow are a mistake more often than a wish: a list that doubles in each of its levels. */
const MAX_STEPS = 100_000;

type Draft<Node> = { -readonly [Key in keyof Node]: Node[Key] };
type DraftTask = Draft<Omit<TaskNode, 'links' | 'linkErrors'>> & { links?: number[]; linkErrors?: number[] };
type DraftGroup = Draft<Omit<GroupNode, 'members'>> & { members: number[] };

/**
 * Compiles a signature to what is stored of its workflow.
 *
 * @throws INVALID_SIGNATURE for an empty chain, one that contains itself, one that is nested too deep or has too many steps; NOT_JSON,
 *   PAYLOAD_TOO_LARGE, INVALID_OPTION, UNDECLARED_QUEUE for its steps
 */
export function compile({ content }: AnySignature, context: CompileContext): WorkflowGraph {
  const compiler = new Compiler(context);
  const { first, last } = compiler.compile(content, { aside: false, level: 1 });
  return { nodes: compiler.nodes, entry: first, exit: last };
}

/** Where a sequence of steps stands. */
interface Surroundings {
  readonly within?: number;
  readonly aside: boolean;
  readonly level: number;
}

/** What is done next in a sequence. */
type Move = { readonly enter: SignatureContent } | { readonly leave: SignatureContent };

class Compiler {
  readonly nodes: (DraftTask | DraftGroup)[] = [];
  readonly #context: CompileContext;
  readonly #createNode: (content: StepContent) => TaskNode;
  /** What is being compiled: a signature among them contains itself. */
  readonly #open = new Set<SignatureContent>();

  constructor(context: CompileContext) {
    this.#context = context;
    this.#createNode = createStepNodes(context);
  }

  /**
   * Compiles the steps that follow each other from a content on. Chains add no level of recursion, groups and callbacks do.
   *
   * @returns its first and last node, and the steps that a `linkError` of the whole is for
   */
  compile(content: SignatureContent, surroundings: Surroundings): { first: number; last: number; covered: number[] } {
    const { level } = surroundings;
    if (level > MAX_LEVELS) throw invalid(`is nested deeper than ${MAX_LEVELS} levels`, 'flatten it');
    const sequence = new Sequence(this.nodes);
    const moves: Move[] = [{ enter: content }];
    for (let move = moves.pop(); move !== undefined; move = moves.pop()) {
      if ('leave' in move) {
        this.#leave(move.leave, sequence, surroundings);
        continue;
      }
      const { enter } = move;
      if (this.#open.has(enter)) throw invalid('contains itself', 'build it anew without the cycle');
      this.#open.add(enter);
      moves.push({ leave: enter });
      if (isFilled(enter.linkErrors)) sequence.covering.push([]);
      if (enter.kind === 'task') this.#addTask(this.#createNode(enter), sequence, surroundings);
      else if (enter.kind === 'group') this.#addGroup(enter, sequence, surroundings);
      else {
        if (enter.steps.length === 0) throw invalid('has an empty chain, which gives nothing', 'leave the chain out');
        for (let index = enter.steps.length - 1; index >= 0; index -= 1) {
          moves.push({ enter: enter.steps[index] as SignatureContent });
        }
      }
    }
    return { first: sequence.first, last: sequence.last, covered: sequence.end() };
  }

  #leave(content: SignatureContent, sequence: Sequence, surroundings: Surroundings): void {
    const apart = { aside: true, level: surroundings.level + 1 };
    if (isFilled(content.links)) {
      if (this.nodes[sequence.last]?.kind === 'group') this.#addJoin(sequence, surroundings);
      const exit = this.nodes[sequence.last] as DraftTask;
      exit.links ??= [];
      for (const callback of content.links) exit.links.push(this.compile(callback, apart).first);
    }
    if (isFilled(content.linkErrors)) {
      const covered = sequence.uncover();
      for (const callback of content.linkErrors) {
        const place = this.compile(callback, apart).first;
        for (const step of covered) {
          const node = this.nodes[step] as DraftTask;
          node.linkErrors ??= [];
          node.linkErrors.push(place);
        }
      }
    }
    this.#open.delete(content);
  }

  #addTask(node: TaskNode, sequence: Sequence, surroundings: Surroundings): void {
    const { last } = sequence;
    const joins = this.nodes[last]?.kind === 'group' ? { joins: last } : {};
    const place = this.#add({ ...(node as DraftTask), ...joins }, surroundings);
    sequence.follow(place);
    sequence.cover(place);
  }

  #addGroup({ members, onError = 'fail', rest = 'leave' }: GroupContent, sequence: Sequence, at: Surroundings): void {
    if (this.nodes[sequence.last]?.kind === 'group') this.#addJoin(sequence, at);
    const node: DraftGroup = { kind: 'group', members: [], onError, rest };
    const place = this.#add(node, at);
    sequence.follow(place);
    const covered: number[] = [];
    for (const member of members) {
      const compiled = this.compile(member, { within: place, aside: at.aside, level: at.level + 1 });
      node.members.push(compiled.first);
      for (const step of compiled.covered) covered.push(step);
    }
    sequence.pending = covered;
  }

  #addJoin(sequence: Sequence, surroundings: Surroundings): void {
    const first = findFirstTask(this.nodes, sequence.last);
    const priority = first?.options?.priority;
    const node: TaskNode = {
      kind: 'task',
      task: JOIN_TASK,
      // A queue that is served, since a step before it ran there.
      queue: first?.queue ?? this.#context.resolve(JOIN_TASK).queue,
      args: [],
      ...(priority !== undefined && { options: { priority } }),
    };
    this.#addTask(node, sequence, surroundings);
  }

  #add(node: DraftTask | DraftGroup, { within, aside }: Surroundings): number {
    if (this.nodes.length >= MAX_STEPS) throw invalid(`has more than ${MAX_STEPS} steps`, 'send it in parts');
    if (within !== undefined) node.within = within;
    if (aside) node.aside = true;
    return this.nodes.push(node) - 1;
  }
}

/** Steps that follow each other, while they are compiled. */
class Sequence {
  /** The places of its first and its latest node; -1 before there is any. */
  first = -1;
  last = -1;
  /** Steps that each of the open signatures with a `linkError` has it called for. */
  readonly covering: number[][] = [];
  /** The same of the members of the latest node, if it is a group that nothing follows yet. */
  pending: readonly number[] = [];
  readonly #covered: number[] = [];
  readonly #nodes: (DraftTask | DraftGroup)[];

  constructor(nodes: (DraftTask | DraftGroup)[]) {
    this.#nodes = nodes;
  }

  follow(place: number): void {
    const before = this.#nodes[this.last];
    if (before !== undefined) before.next = place;
    else this.first = place;
    this.last = place;
    this.pending = [];
  }

  cover(place: number): void {
    this.#covered.push(place);
    for (const steps of this.covering) steps.push(place);
  }

  /** Ends the innermost signature with a `linkError`. Nothing in it follows its last group, so that is told by its members. */
  uncover(): readonly number[] {
    return [...(this.covering.pop() ?? []), ...this.pending];
  }

  end(): number[] {
    return [...this.#covered, ...this.pending];
  }
}

/** The first task of a node: itself, or that of the first member of a group that has one, or of what follows the group. */
export function findFirstTask(nodes: WorkflowGraph['nodes'], place: number): TaskNode | undefined {
  const ahead = [place];
  for (let at = ahead.pop(); at !== undefined; at = ahead.pop()) {
    const node = nodes[at];
    if (node?.kind === 'task') return node;
    if (node?.next !== undefined) ahead.push(node.next);
    for (const member of [...(node?.members ?? [])].reverse()) ahead.push(member);
  }
  return undefined;
}

function isFilled(callbacks: readonly SignatureContent[] | undefined): callbacks is readonly SignatureContent[] {
  return callbacks !== undefined && callbacks.length > 0;
}

function invalid(problem: string, next: string): Error {
  return createError('INVALID_SIGNATURE', { problem: `cannot send a signature that ${problem}`, next });
}

import { isRecord } from '../core/envelope.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { encodeJson } from '../core/json.ts';
import { assertTaskName } from '../task/definition.ts';
import {
  type ChainContent,
  MAX_LEVELS,
  type SignatureContent,
  type SignatureStepOptions,
  type StepContent,
} from './signature-content.ts';
import {
  type GroupOptions,
  parseGroupOptions,
  parseSignatureOptions,
  type SignatureOptions,
  toCallOptions,
} from './signature-options.ts';

/** The content as JSON carries it: chains that are steps of chains are written into them, so that no JSON is deeper than it must be. */
export function writeContent(content: SignatureContent): SignatureContent {
  const callbacks = {
    ...(content.links !== undefined && { links: content.links.map(writeContent) }),
    ...(content.linkErrors !== undefined && { linkErrors: content.linkErrors.map(writeContent) }),
  };
  if (content.kind === 'task') return { ...content, ...callbacks };
  if (content.kind === 'group') return { ...content, members: content.members.map(writeContent), ...callbacks };
  return { kind: 'chain', steps: flattenChain(content).map(writeContent), ...callbacks };
}

/** Without recursion: `a.pipe(b).pipe(c)…` nests each chain in the next. */
function flattenChain(chain: ChainContent): SignatureContent[] {
  const steps: SignatureContent[] = [];
  const ahead: SignatureContent[] = [...chain.steps].reverse();
  for (let step = ahead.pop(); step !== undefined; step = ahead.pop()) {
    if (step.kind !== 'chain' || step.links !== undefined || step.linkErrors !== undefined) steps.push(step);
    else for (const inner of [...step.steps].reverse()) ahead.push(inner);
  }
  return steps;
}

/**
 * Reads what `toJSON()` gave, from wherever it was kept.
 *
 * @throws INVALID_SIGNATURE naming the path to what is wrong; INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION for options, NOT_JSON
 */
export function readContent(json: unknown): SignatureContent {
  return readAt(json, 'signature', new Set());
}

type Ancestors = Set<unknown>;

function readAt(json: unknown, path: string, ancestors: Ancestors): SignatureContent {
  if (!isRecord(json)) throw fault(path, `must be an object, got ${formatGiven(json)}`);
  if (ancestors.has(json)) throw fault(path, 'contains itself');
  // A chain in between adds no level.
  if (ancestors.size >= 2 * MAX_LEVELS) throw fault(path, `is nested deeper than ${MAX_LEVELS} levels`);
  ancestors.add(json);
  const content = readKind(json, path, ancestors);
  ancestors.delete(json);
  return Object.freeze(content);
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  task: ['task', 'args', 'immutable', 'options'],
  chain: ['steps'],
  group: ['members', 'onError', 'rest'],
};

function readKind(json: Record<string, unknown>, path: string, ancestors: Ancestors): SignatureContent {
  const kind = typeof json.kind === 'string' ? json.kind : '';
  const fields = Object.hasOwn(FIELDS, kind) ? FIELDS[kind] : undefined;
  if (fields === undefined) {
    throw fault(`${path}.kind`, `must be "task", "chain" or "group", got ${formatGiven(json.kind)}`);
  }
  const known = ['kind', ...fields, 'links', 'linkErrors'];
  const unknown = Object.keys(json).find((key) => !known.includes(key));
  if (unknown !== undefined) throw fault(`${path}.${unknown}`, `is nothing that a ${kind} has`);
  const list = (key: 'links' | 'linkErrors' | 'steps' | 'members'): SignatureContent[] => {
    const items = json[key];
    if (!Array.isArray(items)) throw fault(`${path}.${key}`, `must be a list, got ${formatGiven(items)}`);
    return items.map((item, index) => readAt(item, `${path}.${key}[${index}]`, ancestors));
  };
  const callbacks = {
    ...(json.links !== undefined && { links: list('links') }),
    ...(json.linkErrors !== undefined && { linkErrors: list('linkErrors') }),
  };
  if (kind === 'task') return { ...readStep(json, path), ...callbacks };
  if (kind === 'group') return { kind, members: list('members'), ...readGroupOptions(json), ...callbacks };
  const steps = list('steps');
  if (steps.length === 0) throw fault(`${path}.steps`, 'is an empty chain, which gives nothing');
  return { kind: 'chain', steps, ...callbacks };
}

function readStep({ task, args, immutable, options }: Record<string, unknown>, path: string): StepContent {
  assertTaskName(task);
  if (!Array.isArray(args)) throw fault(`${path}.args`, `must be a list, got ${formatGiven(args)}`);
  if (immutable !== undefined && immutable !== true) throw fault(`${path}.immutable`, 'must be true or left out');
  const copy = JSON.parse(encodeJson(args, `the arguments of task "${task}"`, `${path}.args`));
  return {
    kind: 'task',
    task,
    args: copy,
    ...(immutable === true && { immutable }),
    ...(options !== undefined && { options: readOptions(options, { path, task }) }),
  };
}

/** They have the form that they are stored in, and are checked as those of a call. */
function readOptions(options: unknown, { path, task }: { path: string; task: string }): SignatureStepOptions {
  if (!isRecord(options)) throw fault(`${path}.options`, `must be an object, got ${formatGiven(options)}`);
  return Object.freeze(parseSignatureOptions(toCallOptions(options) as SignatureOptions, task));
}

function readGroupOptions({ onError, rest }: Record<string, unknown>): GroupOptions {
  const options = { ...(onError !== undefined && { onError }), ...(rest !== undefined && { rest }) };
  return parseGroupOptions(options as GroupOptions);
}

function fault(path: string, problem: string): Error {
  return createError('INVALID_SIGNATURE', {
    problem: `${path} ${problem}`,
    next: 'give what toJSON() of a signature gave',
  });
}

import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/engine/canvas/compile.ts';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import { type AnySignature, createStep, Signature, type StepSignature } from '../../../src/engine/canvas/signature.ts';
import type { SignatureContent } from '../../../src/engine/canvas/signature-content.ts';
import type { CompileContext } from '../../../src/engine/canvas/step-node.ts';
import type { WorkflowGraph, WorkflowNode } from '../../../src/engine/core/workflow/graph.ts';
import { defineTask, type TaskDefinition, type TaskOptions } from '../../../src/engine/task/definition.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const DAY_MS = 86_400_000;

/** A step whose types fit anywhere. */
const step = (task: string, ...args: unknown[]): StepSignature<unknown, never> =>
  createStep<unknown, never>(undefined, { task, args });
const list = chain as (...steps: AnySignature[]) => Signature<unknown, never>;

function compileWith(signature: AnySignature, context: Partial<CompileContext> = {}): WorkflowGraph {
  return compile(signature, {
    resolve: () => ({ queue: 'default', definition: undefined }),
    assertQueue: () => undefined,
    payloadLimit: 1024,
    longestResultMs: () => DAY_MS,
    now: NOW,
    ...context,
  });
}

/** Each node in one line. */
function outline({ nodes, entry, exit }: WorkflowGraph): string[] {
  return [...nodes.map((node, place) => `${place} ${describeNode(node)}`), `${entry} to ${exit}`];
}

function describeNode(node: WorkflowNode): string {
  const facts = [
    node.kind === 'task' ? node.task : `[${node.members.join(' ')}]`,
    node.kind === 'task' && node.joins !== undefined ? `joins ${node.joins}` : '',
    node.next !== undefined ? `next ${node.next}` : '',
    node.within !== undefined ? `within ${node.within}` : '',
    node.kind === 'task' && node.links ? `links ${node.links.join(' ')}` : '',
    node.kind === 'task' && node.linkErrors ? `errors ${node.linkErrors.join(' ')}` : '',
    node.aside ? 'aside' : '',
  ];
  return facts.filter((fact) => fact !== '').join(', ');
}

const shapeOf = (signature: AnySignature): string[] => outline(compileWith(signature));

describe('the shape of a graph', () => {
  test('a step is one node', () => {
    expect(shapeOf(step('a'))).toEqual(['0 a', '0 to 0']);
    expect(shapeOf(list(step('a')))).toEqual(['0 a', '0 to 0']);
  });

  test('a chain is its steps, each the next of the one before; chains in it are none of their own', () => {
    const flat = ['0 a, next 1', '1 b, next 2', '2 c, next 3', '3 d', '0 to 3'];
    expect(shapeOf(list(step('a'), step('b'), step('c'), step('d')))).toEqual(flat);
    expect(shapeOf(list(list(step('a'), list(step('b'))), list(step('c'), step('d'))))).toEqual(flat);
    expect(
      shapeOf(
        step('a')
          .pipe(step('b'))
          .pipe(step('c').pipe(step('d'))),
      ),
    ).toEqual(flat);
  });

  test('a group names its members, which are within it', () => {
    expect(shapeOf(group(step('a'), list(step('b'), step('c'))))).toEqual([
      '0 [1 2]',
      '1 a, within 0',
      '2 b, next 3, within 0',
      '3 c, within 0',
      '0 to 0',
    ]);
  });

  test('a group that a step follows is a chord', () => {
    const shape = ['0 a, next 1', '1 [2 3], next 4', '2 b, within 1', '3 c, within 1', '4 d, joins 1', '0 to 4'];
    expect(shapeOf(list(step('a'), group(step('b'), step('c')), step('d')))).toEqual(shape);
    expect(shapeOf(list(step('a'), chord([step('b'), step('c')], step('d'))))).toEqual(shape);
    expect(shapeOf(step('a').pipe(chord(group([step('b'), step('c')]), step('d'))))).toEqual(shape);
  });

  test('a group that a group follows is joined in between, and so is one with a callback', () => {
    expect(shapeOf(list(group(step('a')), group(step('b')), group(step('c'))))).toEqual([
      '0 [1], next 2',
      '1 a, within 0',
      '2 tq.join, joins 0, next 3',
      '3 [4], next 5',
      '4 b, within 3',
      '5 tq.join, joins 3, next 6',
      '6 [7]',
      '7 c, within 6',
      '0 to 6',
    ]);
    expect(shapeOf(group(step('a')).link(step('done')))).toEqual([
      '0 [1], next 2',
      '1 a, within 0',
      '2 tq.join, joins 0, links 3',
      '3 done, aside',
      '0 to 2',
    ]);
  });

  test('chords in chords, in the header and as the body', () => {
    const inner = chord([step('a')], step('b'));
    expect(shapeOf(chord([inner, step('c')], chord([step('d')], step('e'))))).toEqual([
      '0 [1 4], next 5',
      '1 [2], next 3, within 0',
      '2 a, within 1',
      '3 b, joins 1, within 0',
      '4 c, within 0',
      '5 tq.join, joins 0, next 6',
      '6 [7], next 8',
      '7 d, within 6',
      '8 e, joins 6',
      '0 to 8',
    ]);
  });

  test('an empty group is a node without members, alone, as a header and within another', () => {
    expect(shapeOf(group([]))).toEqual(['0 []', '0 to 0']);
    expect(shapeOf(chord([], step('a')))).toEqual(['0 [], next 1', '1 a, joins 0', '0 to 1']);
    expect(shapeOf(group(group([]), step('a')))).toEqual(['0 [1 2]', '1 [], within 0', '2 a, within 0', '0 to 0']);
  });

  test('the policy of a group stands with it', () => {
    const own = group([step('a')], { onError: 'collect', rest: 'cancel' });
    expect(compileWith(own).nodes[0]).toMatchObject({ onError: 'collect', rest: 'cancel' });
    expect(compileWith(group([step('a')])).nodes[0]).toMatchObject({ onError: 'fail', rest: 'leave' });
  });

  test('the same signature twice is two steps', () => {
    const same = step('a');
    expect(shapeOf(group(same, same))).toEqual(['0 [1 2]', '1 a, within 0', '2 a, within 0', '0 to 0']);
  });
});

describe('callbacks', () => {
  test('of a chain are called by its last step, and when any step fails, by the same node', () => {
    expect(shapeOf(list(step('a'), step('b')).link(step('ok')).linkError(step('alarm')))).toEqual([
      '0 a, next 1, errors 3',
      '1 b, links 2, errors 3',
      '2 ok, aside',
      '3 alarm, aside',
      '0 to 1',
    ]);
  });

  test('of a step within a chain are its own', () => {
    expect(shapeOf(list(step('a').linkError(step('alarm')), step('b')))).toEqual([
      '0 a, next 2, errors 1',
      '1 alarm, aside',
      '2 b',
      '0 to 2',
    ]);
    expect(shapeOf(list(list(step('a'), step('b')).link(step('ok')), step('c')))).toEqual([
      '0 a, next 1',
      '1 b, next 3, links 2',
      '2 ok, aside',
      '3 c',
      '0 to 3',
    ]);
  });

  test('of a chord are those of its body, which fails with its members', () => {
    expect(shapeOf(chord([step('a')], step('b')).linkError(step('alarm')))).toEqual([
      '0 [1], next 2',
      '1 a, within 0',
      '2 b, joins 0, errors 3',
      '3 alarm, aside',
      '0 to 2',
    ]);
  });

  test('of a group are those of every step of its members, bodies in place of their headers', () => {
    const members = [list(step('a'), step('b')), chord([step('c')], step('d')), group(step('e'))];
    expect(shapeOf(group(members).linkError(step('alarm')))).toEqual([
      '0 [1 3 6]',
      '1 a, next 2, within 0, errors 8',
      '2 b, within 0, errors 8',
      '3 [4], next 5, within 0',
      '4 c, within 3',
      '5 d, joins 3, within 0, errors 8',
      '6 [7], within 0',
      '7 e, within 6, errors 8',
      '8 alarm, aside',
      '0 to 0',
    ]);
  });

  test('of a chain that ends with a group are those of its members, also where a body follows outside of it', () => {
    expect(shapeOf(list(list(step('a'), group(step('b'))).linkError(step('alarm')), step('c')))).toEqual([
      '0 a, next 1, errors 3',
      '1 [2], next 4',
      '2 b, within 1, errors 3',
      '3 alarm, aside',
      '4 c, joins 1',
      '0 to 4',
    ]);
  });

  test('may be several, workflows, and have callbacks of their own', () => {
    const callback = chord([step('x')], step('y')).linkError(step('z'));
    expect(shapeOf(step('a').link(callback).link(step('b')))).toEqual([
      '0 a, links 1 5',
      '1 [2], next 3, aside',
      '2 x, within 1, aside',
      '3 y, joins 1, errors 4, aside',
      '4 z, aside',
      '5 b, aside',
      '0 to 0',
    ]);
    expect(shapeOf(list(step('a')).linkError(step('p')).linkError(step('q')))[0]).toBe('0 a, errors 1 2');
  });
});

describe('a step', () => {
  const nodeOf = (signature: AnySignature, task?: TaskOptions, context: Partial<CompileContext> = {}) => {
    const definition = task && (defineTask('a', task, () => {}) as unknown as TaskDefinition);
    return compileWith(signature, { resolve: () => ({ queue: 'of-task', definition }), ...context }).nodes[0];
  };

  test('has its arguments, and nothing that it does not say', () => {
    expect(nodeOf(step('a', 1, { b: [2] }))).toEqual({
      kind: 'task',
      task: 'a',
      queue: 'of-task',
      args: [1, { b: [2] }],
    });
    const fixed = createStep(undefined, { task: 'a', args: [], immutable: true });
    expect(nodeOf(fixed)).toEqual({ kind: 'task', task: 'a', queue: 'of-task', args: [], immutable: true });
  });

  test('has its options over those of its task', () => {
    const task: TaskOptions = { priority: 3, expires: '1h', resultExpires: '2h' };
    expect(nodeOf(step('a'), task)).toMatchObject({
      queue: 'of-task',
      options: { priority: 3, expiresMs: 3_600_000, resultExpiresMs: 7_200_000 },
    });
    const own = step('a').set({ queue: 'mine', priority: 0, expires: new Date(NOW + 5), resultExpires: '1h' });
    expect(nodeOf(own, task)).toEqual({
      kind: 'task',
      task: 'a',
      queue: 'mine',
      args: [],
      options: { priority: 0, expiresAt: NOW + 5, resultExpiresMs: 3_600_000 },
    });
  });

  test('that maps has the queue and the options of the task that it maps', () => {
    const asked: string[] = [];
    const resolve: CompileContext['resolve'] = (task) => {
      asked.push(task);
      return { queue: `of-${task}`, definition: undefined };
    };
    const node = nodeOf(step('tq.map', 'resize', [1, 2]), undefined, { resolve });
    expect([node, asked]).toEqual([
      { kind: 'task', task: 'tq.map', queue: 'of-resize', args: ['resize', [1, 2]] },
      ['resize'],
    ]);
  });

  test('that joins goes where the first step of its group does', () => {
    const resolve: CompileContext['resolve'] = (task) => ({ queue: `of-${task}`, definition: undefined });
    const first = step('a').set({ priority: 4 });
    const { nodes } = compileWith(list(group(first, step('b')), group(step('c'))), { resolve });
    expect(nodes[3]).toEqual({
      kind: 'task',
      task: 'tq.join',
      queue: 'of-a',
      args: [],
      options: { priority: 4 },
      joins: 0,
      next: 4,
    });
    const empty = compileWith(list(group([]), group(step('c'))), { resolve });
    expect(empty.nodes[1]).toMatchObject({ task: 'tq.join', queue: 'of-tq.join' });
  });

  test.each<[string, AnySignature, TaskOptions | undefined, object]>([
    ['too large arguments', step('a', 'x'.repeat(1023)), undefined, { code: 'PAYLOAD_TOO_LARGE' }],
    [
      'an instant beyond ten years',
      step('a').set({ eta: NOW + 3651 * DAY_MS }),
      undefined,
      { code: 'INVALID_OPTION', message: expect.stringContaining('eta of a step of task "a"') },
    ],
    [
      'a result that cannot be kept so long',
      step('a').set({ resultExpires: '2d' }),
      undefined,
      { code: 'INVALID_OPTION', message: expect.stringContaining('resultExpires of a step of task "a"') },
    ],
    [
      'a soft limit above the limit of the task',
      step('a').set({ softTimeLimit: '2m' }),
      { timeLimit: '1m' },
      { code: 'INVALID_OPTION', message: expect.stringContaining('softTimeLimit of a step of task "a"') },
    ],
    [
      'retries of a task that runs at most once',
      step('a').set({ retry: { max: 1 } }),
      { delivery: 'at-most-once' },
      { code: 'INVALID_OPTION', message: expect.stringContaining('retry of a step of task "a"') },
    ],
  ])('is refused with %s', (_, signature, task, error) => {
    expect(() => nodeOf(signature, task)).toThrow(expect.objectContaining(error));
  });
});

describe('what cannot be sent', () => {
  const invalid = (message: string) => expect.objectContaining({ code: 'INVALID_SIGNATURE', message });
  const forged = (content: unknown) => new Signature(content as SignatureContent, undefined);

  test('an empty chain, at its making and within what was forged', () => {
    expect(() => list()).toThrow(invalid('a chain must have at least one step, got none'));
    expect(() => compileWith(forged({ kind: 'chain', steps: [] }))).toThrow(
      invalid('cannot send a signature that has an empty chain, which gives nothing'),
    );
  });

  test.each(['steps', 'members', 'links', 'linkErrors'])('one that contains itself by its %s', (key) => {
    const kind = key === 'steps' ? 'chain' : key === 'members' ? 'group' : 'task';
    const content: Record<string, unknown> = { kind, task: 'a', args: [] };
    content[key] = [{ kind: 'group', members: [content] }];
    expect(() => compileWith(forged(content))).toThrow(invalid('cannot send a signature that contains itself'));
  });

  test('one that is nested deeper than 500 levels; 50 are fine', () => {
    const nest = (levels: number): AnySignature => {
      let nested: AnySignature = step('a');
      for (let level = 0; level < levels; level += 1) nested = chord([nested as Signature<unknown, never>], step('b'));
      return nested;
    };
    expect(compileWith(nest(50)).nodes).toHaveLength(101);
    expect(compileWith(nest(499)).nodes).toHaveLength(999);
    expect(() => compileWith(nest(500))).toThrow(
      invalid('cannot send a signature that is nested deeper than 500 levels'),
    );
  });

  test('one with more than 100,000 steps, for example by a list that doubles in each level', () => {
    let doubled: AnySignature = step('a');
    for (let level = 0; level < 17; level += 1) doubled = group([doubled, doubled]);
    expect(() => compileWith(doubled)).toThrow(invalid('cannot send a signature that has more than 100000 steps'));
  });
});

describe('many steps', () => {
  const COUNT = 10_000;

  test('a chain of 10,000, made at once or step by step, costs the same for each step', () => {
    let piped: Signature<unknown, never> = step('a');
    for (let index = 1; index < COUNT; index += 1) piped = piped.pipe(step('a', index));
    const made = list(...Array.from({ length: COUNT }, (_, index) => (index === 0 ? step('a') : step('a', index))));
    const graph = compileWith(piped);
    expect(graph).toEqual(compileWith(made));
    expect(graph.nodes).toHaveLength(COUNT);
    expect(graph.nodes[COUNT - 2]).toMatchObject({ next: COUNT - 1, args: [COUNT - 2] });
    expect(JSON.stringify(piped)).toBe(JSON.stringify(made));
  });

  test('a group of 10,000 with a body, and with a callback for errors', () => {
    const members = Array.from({ length: COUNT }, (_, index) => step('a', index));
    const graph = compileWith(chord(members, step('b')));
    expect(graph.nodes).toHaveLength(COUNT + 2);
    expect(graph.nodes.at(-1)).toMatchObject({ task: 'b', joins: 0 });
    const watched = compileWith(group(members).linkError(step('alarm')));
    expect(watched.nodes[COUNT]).toMatchObject({ linkErrors: [COUNT + 1] });
  });

  test('a task is asked for once, however many steps it has', () => {
    const asked: string[] = [];
    const resolve: CompileContext['resolve'] = (task) => {
      asked.push(task);
      return { queue: 'default', definition: undefined };
    };
    compileWith(list(step('a'), step('b'), step('a'), step('a')), { resolve });
    expect(asked).toEqual(['a', 'b']);
  });
});

import { describe, expect, test } from 'vitest';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import {
  type AnySignature,
  createStep,
  Signature,
  type SignatureSender,
  type StepSignature,
} from '../../../src/engine/canvas/signature.ts';
import type { SignatureOptions } from '../../../src/engine/canvas/signature-options.ts';
import { signatureFrom } from '../../../src/engine/canvas/stored-signature.ts';
import { createTaskSignatures } from '../../../src/engine/canvas/task-signatures.ts';
import { createAsyncResult, type Sent } from './sent.ts';

const AT = Date.parse('2030-01-01T00:00:00Z');

/** A step whose types fit anywhere. */
const step = (task: string, ...args: unknown[]): StepSignature<unknown, never> =>
  createStep<unknown, never>(undefined, { task, args });

/** Keeps what it was to send. */
function recordSender() {
  const sent: Sent[] = [];
  const sender: SignatureSender = {
    sendSignature: async (signature, options, input) => {
      sent.push({ signature, options, input });
      return createAsyncResult('sent');
    },
  };
  return { sent, sender };
}

describe('a signature of a task', () => {
  const { sender } = recordSender();
  const { s, si } = createTaskSignatures<[a: number, b: number], number>(sender, 'add');

  test('is its task and its arguments', () => {
    expect(s(1, 2).toJSON()).toEqual({ kind: 'task', task: 'add', args: [1, 2] });
    expect(si(1, 2).toJSON()).toEqual({ kind: 'task', task: 'add', args: [1, 2], immutable: true });
  });

  test('takes its arguments as they are then, without trailing undefined', () => {
    const given = { to: ['a'] };
    const signature = step('mail', given, undefined);
    given.to.push('b');
    expect(signature.toJSON()).toEqual({ kind: 'task', task: 'mail', args: [{ to: ['a'] }] });
  });

  test('cannot be changed, nor can what it gives as JSON', () => {
    const signature = step('mail', { to: ['a'] }).set({ priority: 3 });
    expect(() => Object.assign(signature.content, { task: 'other' })).toThrow(TypeError);
    const { args, options } = signature.toJSON() as unknown as {
      args: [{ to: string[] }];
      options: { priority: number };
    };
    expect(() => args[0].to.push('b')).toThrow(TypeError);
    expect(() => Object.assign(options, { priority: 9 })).toThrow(TypeError);
  });

  test.each<[string, unknown, string]>([
    ['a BigInt', { n: 1n }, 'args[1].n'],
    ['a Date', [new Date(0)], 'args[1][0]'],
    ['another signature', s(1, 2), 'args[1]'],
    ['NaN', Number.NaN, 'args[1]'],
  ])('refuses %s among its arguments, naming the path', (_, value, path) => {
    expect(() => step('mail', 1, value)).toThrow(
      expect.objectContaining({ code: 'NOT_JSON', message: expect.stringContaining(path) }),
    );
  });

  test('refuses what is no name of a task', () => {
    expect(() => step('two words')).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});

describe('options of a step', () => {
  const optionsOf = (signature: AnySignature) => (signature.toJSON() as { options?: object }).options;

  test('are kept as they are stored: durations in milliseconds, instants in epoch milliseconds', () => {
    const options = { queue: 'q', priority: 3, headers: { a: '1' }, ignoreResult: true, softTimeLimit: '1s' };
    const more = {
      timeLimit: '2s',
      retry: { max: 2, delay: '1m' },
      resultExpires: '1h',
      countdown: '5s',
      expires: '1m',
    };
    expect(optionsOf(step('a').set({ ...options, ...more }))).toEqual({
      queue: 'q',
      priority: 3,
      headers: { a: '1' },
      ignoreResult: true,
      softTimeLimitMs: 1000,
      timeLimitMs: 2000,
      retry: { max: 2, delay: 60_000 },
      resultExpiresMs: 3_600_000,
      countdownMs: 5000,
      expiresMs: 60_000,
    });
    expect(optionsOf(step('a').set({ eta: new Date(AT), expires: new Date(AT + 1), retry: false }))).toEqual({
      dueAt: AT,
      expiresAt: AT + 1,
      retry: false,
    });
    expect(optionsOf(step('a').set({ eta: '2030-01-01T00:00:00Z' }))).toEqual({ dueAt: AT });
    expect(optionsOf(step('a'))).toBeUndefined();
  });

  test('are added to those of before, where a start or an expiry of either kind replaces the other', () => {
    const before = step('a').set({ countdown: '5s', expires: '1m', priority: 1 });
    expect(optionsOf(before.set({ priority: 2 }))).toEqual({ countdownMs: 5000, expiresMs: 60_000, priority: 2 });
    const after = before.set({ eta: AT, expires: new Date(AT) });
    expect(optionsOf(after)).toEqual({ dueAt: AT, expiresAt: AT, priority: 1 });
    expect(optionsOf(after.set({ countdown: 1, expires: 2 }))).toEqual({ countdownMs: 1, expiresMs: 2, priority: 1 });
    expect(optionsOf(before)).toEqual({ countdownMs: 5000, expiresMs: 60_000, priority: 1 });
  });

  test.each<[SignatureOptions | object, string, string]>([
    [{ countDown: 5 }, 'UNKNOWN_OPTION', 'a step of task "a" has no option "countDown"; did you mean "countdown"?'],
    [{ id: 'x' }, 'INVALID_OPTION', 'id of a step of task "a" must be left out, the id of a step is derived'],
    [{ requestId: 'x' }, 'INVALID_OPTION', 'requestId of a step of task "a" must be left out, the steps of a workflow'],
    [{ unique: 'x' }, 'INVALID_OPTION', 'unique of a step of task "a" must be left out, a step is never kept'],
    [{ priority: 10 }, 'INVALID_OPTION', 'priority of a step of task "a"'],
    [{ queue: 5 }, 'INVALID_OPTION', 'queue of a step of task "a"'],
    [{ ignoreResult: 'yes' }, 'INVALID_OPTION', 'ignoreResult of a step of task "a"'],
    [{ headers: { a: 1 } }, 'INVALID_OPTION', 'headers of a step of task "a"'],
    [{ countdown: 'soon' }, 'INVALID_DURATION', 'countdown of a step of task "a"'],
    [{ countdown: 1, eta: AT }, 'INVALID_OPTION', 'given either countdown or eta'],
    [{ eta: 'tomorrow' }, 'INVALID_OPTION', 'eta of a step of task "a"'],
    [{ eta: new Date('x') }, 'INVALID_OPTION', 'eta of a step of task "a"'],
    [{ expires: new Date('x') }, 'INVALID_OPTION', 'expires of a step of task "a"'],
    [{ softTimeLimit: 2, timeLimit: 1 }, 'INVALID_OPTION', 'softTimeLimit of a step of task "a"'],
    [{ retry: { max: -1 } }, 'INVALID_OPTION', 'retry of a step of task "a"'],
    [{ retry: { on: Error } }, 'INVALID_OPTION', 'retry of a step of task "a"'],
  ])('%j are refused', (options, code, message) => {
    expect(() => step('a').set(options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('a signature as JSON', () => {
  const made: [string, AnySignature][] = [
    ['a step', step('a', 1, { b: [null] }).set({ countdown: '5s', retry: { max: 1 }, headers: { a: '1' } })],
    ['a chain', chain(step('a'), step('b')).link(step('c')).linkError(step('d'))],
    ['a piped chain', step('a').pipe(step('b')).pipe(step('c'))],
    ['a group', group([step('a'), chain(step('b'))], { onError: 'collect', rest: 'cancel' })],
    ['a chord', chord([step('a').link(group([]))], chord([], step('b')))],
    ['an immutable step', createStep(undefined, { task: 'a', args: [], immutable: true })],
  ];

  test.each(made)('%s comes back as it was', (_, signature) => {
    const text = JSON.stringify(signature);
    const read = signatureFrom(JSON.parse(text));
    expect(read).toBeInstanceOf(Signature);
    expect(JSON.stringify(read)).toBe(text);
  });

  test('of a chain in a chain is that of one chain, unless callbacks set it apart', () => {
    const plain = chain(step('a'), chain(step('b'), step('c')), step('d'));
    expect(plain.toJSON()).toMatchObject({ steps: ['a', 'b', 'c', 'd'].map((task) => ({ kind: 'task', task })) });
    const apart = chain(chain(step('a'), step('b')).link(step('x')), step('c'));
    expect(apart.toJSON()).toMatchObject({ steps: [{ kind: 'chain', links: [{ task: 'x' }] }, { task: 'c' }] });
  });

  const cycle: Record<string, unknown> = { kind: 'group' };
  cycle.members = [{ kind: 'chain', steps: [cycle] }];

  test.each<[unknown, string]>([
    [null, 'signature must be an object, got null'],
    [[], 'signature must be an object, got []'],
    [{ kind: 'map' }, 'signature.kind must be "task", "chain" or "group", got "map"'],
    [{ kind: 'toString' }, 'signature.kind must be'],
    [{ kind: 'chain' }, 'signature.steps must be a list, got undefined'],
    [{ kind: 'chain', steps: [] }, 'signature.steps is an empty chain'],
    [{ kind: 'chain', steps: [{ kind: 'task', task: 'a' }] }, 'signature.steps[0].args must be a list'],
    [{ kind: 'task', task: 'a', args: [], immutable: 1 }, 'signature.immutable must be true or left out'],
    [{ kind: 'task', task: 'a', args: [], options: 5 }, 'signature.options must be an object, got 5'],
    [{ kind: 'task', task: 'a', args: [], steps: [] }, 'signature.steps is nothing that a task has'],
    [{ kind: 'group', members: [], links: [5] }, 'signature.links[0] must be an object, got 5'],
    [{ kind: 'task', task: 'a', args: [], linkErrors: {} }, 'signature.linkErrors must be a list, got {}'],
    [cycle, 'signature.members[0].steps[0] contains itself'],
  ])('%# is refused with the path to what is wrong', (json, message) => {
    expect(() => signatureFrom(json)).toThrow(
      expect.objectContaining({ code: 'INVALID_SIGNATURE', message: expect.stringContaining(message) }),
    );
  });

  test('comes back from as deep as it can be sent, and is refused from deeper', () => {
    let deep: AnySignature = step('a');
    for (let level = 1; level < 500; level += 1) deep = chord([deep], step('b'));
    const text = JSON.stringify(deep);
    expect(JSON.stringify(signatureFrom(JSON.parse(text)))).toBe(text);
    const deeper = JSON.parse(JSON.stringify(chord([chord([deep], step('b'))], step('b'))));
    expect(() => signatureFrom(deeper)).toThrow(
      expect.objectContaining({
        code: 'INVALID_SIGNATURE',
        message: expect.stringContaining('nested deeper than 500'),
      }),
    );
  });

  test.each<[object, string]>([
    [{ task: 5 }, 'INVALID_OPTION'],
    [{ options: { countdownMs: 'x' } }, 'INVALID_DURATION'],
    [{ options: { id: 'x' } }, 'INVALID_OPTION'],
    [{ options: { other: 1 } }, 'UNKNOWN_OPTION'],
    [{ args: [undefined] }, 'NOT_JSON'],
  ])('of a step with %j is refused as the step would be', (fields, code) => {
    expect(() => signatureFrom({ kind: 'task', task: 'a', args: [], ...fields })).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test('of a group with a policy that is none is refused as the group would be', () => {
    const refused = expect.objectContaining({ code: 'INVALID_OPTION' });
    expect(() => signatureFrom({ kind: 'group', members: [], onError: 'stop' })).toThrow(refused);
    expect(() => signatureFrom({ kind: 'group', members: [], rest: 'stop' })).toThrow(refused);
  });
});

describe('constructs', () => {
  const invalid = (message: string) =>
    expect.objectContaining({ code: 'INVALID_SIGNATURE', message: expect.stringContaining(message) });
  const wrong = (value: unknown) => value as never;

  test('take signatures and nothing else', () => {
    expect(() => chain(wrong(() => 1))).toThrow(invalid('chain() takes signatures, got a function'));
    expect(() => group([step('a'), wrong(5)])).toThrow(invalid('group() takes signatures, got 5'));
    expect(() => group(step('a'), wrong('b'))).toThrow(invalid('group() takes signatures, got "b"'));
    expect(() => chord([wrong(undefined)], step('b'))).toThrow(invalid('group() takes signatures, got undefined'));
    expect(() => chord([step('a')], wrong(null))).toThrow(invalid('the body of chord() takes signatures, got null'));
    expect(() => step('a').pipe(wrong({}))).toThrow(invalid('pipe() takes signatures, got {}'));
    expect(() => step('a').link(wrong({}))).toThrow(invalid('link() takes signatures, got {}'));
    expect(() => step('a').linkError(wrong({}))).toThrow(invalid('linkError() takes signatures, got {}'));
  });

  test('a group takes its members as a list or one by one, and options after them', () => {
    const members = [{ task: 'a' }, { task: 'b' }];
    expect(group([step('a'), step('b')]).toJSON()).toMatchObject({ members });
    expect(group(step('a'), step('b')).toJSON()).toMatchObject({ members });
    expect(group(step('a'), step('b'), { onError: 'ignore' }).toJSON()).toMatchObject({ members, onError: 'ignore' });
    expect(group().toJSON()).toEqual({ kind: 'group', members: [] });
    expect(() => group([step('a')], { onErorr: 'fail' } as object)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', message: expect.stringContaining('did you mean "onError"') }),
    );
    const loose = group as (...given: unknown[]) => unknown;
    expect(() => loose([step('a')], {}, {})).toThrow(invalid('group() takes one list of members'));
    expect(() => loose([step('a')], step('b'))).toThrow(invalid('group() takes one list of members'));
  });

  test('a chord is a chain of its group and its body', () => {
    const made = chord([step('a')], step('b'), { onError: 'collect' });
    expect(made.toJSON()).toEqual(chain(group([step('a')], { onError: 'collect' }), step('b')).toJSON());
    expect(chord(group([step('a')], { onError: 'collect' }), step('b')).toJSON()).toEqual(made.toJSON());
    const loose = chord as (...given: unknown[]) => unknown;
    expect(() => loose(step('a'), step('b'))).toThrow(
      invalid('the header of a chord must be a list or a group, got a task'),
    );
    expect(() => loose(group([]), step('b'), {})).toThrow(invalid('a chord whose header is a group takes no options'));
  });

  test('a task over items is a step that takes nothing of the one before; chunks are a group of them', () => {
    const { map, starmap, chunks } = createTaskSignatures<[number, number], number>(recordSender().sender, 'add');
    const over = (task: string, items: unknown) => ({ kind: 'task', task, args: ['add', items], immutable: true });
    expect(map([1, 2]).toJSON()).toEqual(over('tq.map', [1, 2]));
    expect(starmap([[1, 2]]).toJSON()).toEqual(over('tq.starmap', [[1, 2]]));
    expect(
      chunks(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        2,
      ).toJSON(),
    ).toEqual({
      kind: 'group',
      members: [
        over('tq.starmap', [
          [1, 2],
          [3, 4],
        ]),
        over('tq.starmap', [[5, 6]]),
      ],
    });
    expect(chunks([], 2).toJSON()).toEqual({ kind: 'group', members: [] });
    for (const size of [0, -1, 1.5, Number.NaN]) {
      expect(() => chunks([], size)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    }
    expect(() => map(5 as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});

describe('sending', () => {
  test('is done by the app of the first signature that has one, whatever it is a part of', async () => {
    const { sent, sender } = recordSender();
    const own = createStep<unknown, never>(sender, { task: 'a', args: [] });
    const all = [
      own,
      chain(step('b'), own),
      group([group([own])]),
      chord([], own),
      step('b').pipe(own),
      own.link(step('c')),
    ];
    for (const signature of all) await signature.delay();
    expect(sent.map(({ signature }) => signature)).toEqual(all);
    await own.apply({ requestId: 'r' });
    await own.apply({}, 'value');
    await own.delay(0);
    expect(sent.slice(-3).map(({ options, input }) => [options, input])).toEqual([
      [{ requestId: 'r' }, undefined],
      [{}, { value: 'value' }],
      [{}, { value: 0 }],
    ]);
  });
});

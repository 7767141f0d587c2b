/**
 * Every way to nest chains, groups and chords two deep, as plain trees, and what each of them must give when all of its steps succeed
 * or one of them fails: written down once more here, in the simplest way, without jobs.
 */

/** Leaves are steps, numbered in the order of the text. */
export type Shape =
  | { readonly kind: 'step'; readonly name: number }
  | { readonly kind: 'chain'; readonly steps: readonly Shape[] }
  | { readonly kind: 'group'; readonly members: readonly Shape[] }
  | { readonly kind: 'chord'; readonly members: readonly Shape[]; readonly body: Shape };

type Maker = (inner: Draft) => Draft;
/** A shape whose steps have no names yet. */
type Draft = 'step' | { readonly kind: 'chain' | 'group' | 'chord'; readonly parts: readonly Draft[] };

const chain = (...parts: Draft[]): Draft => ({ kind: 'chain', parts });
const group = (...parts: Draft[]): Draft => ({ kind: 'group', parts });
/** The last part is the body. */
const chord = (...parts: Draft[]): Draft => ({ kind: 'chord', parts });

const OUTER: readonly Maker[] = [
  (inner) => chain(inner, 'step'),
  (inner) => chain('step', inner, 'step'),
  (inner) => chain('step', inner),
  (inner) => group(inner, 'step'),
  (inner) => chord(inner, 'step', 'step'),
  (inner) => chord('step', 'step', inner),
];
const INNER: readonly Maker[] = [
  (leaf) => chain(leaf, 'step'),
  (leaf) => group('step', leaf),
  (leaf) => chord('step', leaf, 'step'),
];

/** Each construct, with each construct in each of its places, and each construct in that. */
export function listShapes(): Shape[] {
  const ones = INNER.map((make) => make('step'));
  const twos = INNER.flatMap((make) => ones.map((one) => make(one)));
  const inner: Draft[] = ['step', ...ones, ...twos];
  return OUTER.flatMap((make) => inner.map((one) => nameSteps(make(one))));
}

function nameSteps(draft: Draft): Shape {
  let named = 0;
  const name = (part: Draft): Shape => {
    if (part === 'step') {
      named += 1;
      return { kind: 'step', name: named };
    }
    const parts = part.parts.map(name);
    switch (part.kind) {
      case 'chain':
        return { kind: 'chain', steps: parts };
      case 'group':
        return { kind: 'group', members: parts };
      case 'chord':
        return { kind: 'chord', members: parts.slice(0, -1), body: parts.at(-1) as Shape };
    }
  };
  return name(draft);
}

export function listSteps(shape: Shape): number[] {
  switch (shape.kind) {
    case 'step':
      return [shape.name];
    case 'chain':
      return shape.steps.flatMap(listSteps);
    case 'group':
      return shape.members.flatMap(listSteps);
    case 'chord':
      return [...shape.members, shape.body].flatMap(listSteps);
  }
}

export function formatShape(shape: Shape): string {
  switch (shape.kind) {
    case 'step':
      return `${shape.name}`;
    case 'chain':
      return `chain(${shape.steps.map(formatShape).join(', ')})`;
    case 'group':
      return `group(${shape.members.map(formatShape).join(', ')})`;
    case 'chord':
      return `chord([${shape.members.map(formatShape).join(', ')}], ${formatShape(shape.body)})`;
  }
}

export interface Expected {
  /** Undefined when it fails. */
  readonly value: unknown;
  readonly hasFailed: boolean;
  /** The steps that run, the one that fails included. */
  readonly ran: ReadonlySet<number>;
}

/** @param fails the step that fails, none for 0 */
export function predict(shape: Shape, fails: number): Expected {
  const ran = new Set<number>();
  const FAILED = Symbol('failed');
  const run = (part: Shape, given: unknown): unknown => {
    switch (part.kind) {
      case 'step':
        ran.add(part.name);
        return part.name === fails ? FAILED : { step: part.name, given };
      case 'chain': {
        let value = given;
        for (const step of part.steps) {
          value = run(step, value);
          if (value === FAILED) return FAILED;
        }
        return value;
      }
      case 'group': {
        const values = part.members.map((member) => run(member, given));
        return values.includes(FAILED) ? FAILED : values;
      }
      case 'chord': {
        const values = part.members.map((member) => run(member, given));
        return values.includes(FAILED) ? FAILED : run(part.body, values);
      }
    }
  };
  const value = run(shape, null);
  return value === FAILED ? { value: undefined, hasFailed: true, ran } : { value, hasFailed: false, ran };
}

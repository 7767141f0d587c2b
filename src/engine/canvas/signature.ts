import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { encodeJson } from '../core/json.ts';
import type { FailedStep } from '../core/workflow/graph.ts';
import type { AsyncResult } from '../results/async-result.ts';
import { withoutTrailingUndefined } from '../task/call-checks.ts';
import { assertTaskName } from '../task/definition.ts';
import type { SignatureContent, StepContent } from './signature-content.ts';
import { writeContent } from './signature-json.ts';
import { mergeOptions, parseSignatureOptions, type SignatureOptions } from './signature-options.ts';

declare const NO_INPUT: unique symbol;
/** The type of what a signature is entered with when nothing comes before it. No value has it. */
export type NoInput = typeof NO_INPUT;

/** Options of a whole workflow. */
export interface SendOptions {
  /** Of all its jobs. Default that of the running task, if there is one, else the id of the workflow. */
  requestId?: string;
  /** Of all its jobs; a step's own go before them. */
  headers?: Readonly<Record<string, string>>;
}

/** Sends signatures: the app of the tasks in them. */
export interface SignatureSender {
  /** @param input what it is entered with; nothing without it */
  sendSignature(
    signature: AnySignature,
    options?: SendOptions,
    input?: { readonly value: unknown },
  ): Promise<AsyncResult<unknown>>;
}

/** The app of all tasks of this process; null once there are several. */
let onlySender: SignatureSender | null | undefined;

/** Notes an app that has tasks. Where it is the only one, it also sends what has no task in it: a group of no members. */
export function noteSender(sender: SignatureSender): void {
  if (onlySender === undefined) onlySender = sender;
  else if (onlySender !== sender) onlySender = null;
}

/** Any signature, whatever it takes and gives. */
export type AnySignature = Signature<never, unknown>;

/** Marks a signature, also that of another copy of the package. */
const SIGNATURE_BRAND: unique symbol = Symbol.for('taskq.signature');

/**
 * A call that is not made yet: of a task, or of a whole workflow. An immutable value that JSON carries; every method gives a new one.
 *
 * @typeParam In what it is entered with: the value of the step before, or `NoInput`
 * @typeParam Out what it gives
 */
export class Signature<in In, out Out> {
  readonly [SIGNATURE_BRAND] = true;
  /** What `toJSON()` gives, in the form that it was made in. */
  readonly content: SignatureContent;
  readonly #sender: SignatureSender | undefined;
  /** Only for types: never set. */
  declare readonly types?: { input: (value: In) => void; output: Out };

  constructor(content: SignatureContent, sender: SignatureSender | undefined) {
    this.content = Object.freeze(content);
    this.#sender = sender;
  }

  /** This, and then another one with what this gives: a chain of the two. After a group, `next` is its body: a chord. */
  pipe<Next>(next: Signature<Out, Next>): Signature<In, Next> {
    assertSignature(next, 'pipe()');
    return new Signature({ kind: 'chain', steps: [this.content, next.content] }, this.#sender ?? senderOf(next));
  }

  /**
   * Calls another one with the value when this has succeeded. Nothing waits for it, and nothing of it changes the value. May be used
   * several times.
   */
  link(callback: Signature<Out, unknown>): this {
    assertSignature(callback, 'link()');
    const { content } = this;
    return this.with({ ...content, links: [...(content.links ?? []), callback.content] });
  }

  /**
   * Calls another one when a step of this is a dead letter, once, with the first: `{ id, task, error: { name, message, code } }`. Of a
   * chord it is the body, which fails with its members.
   */
  linkError(callback: Signature<FailedStep, unknown>): this {
    assertSignature(callback, 'linkError()');
    const { content } = this;
    return this.with({ ...content, linkErrors: [...(content.linkErrors ?? []), callback.content] });
  }

  /**
   * Sends it. A signature of one task without callbacks is a plain call; any other is a workflow, whose id is that of the result.
   *
   * @param input what it is entered with, where it needs something
   * @throws INVALID_SIGNATURE, INVALID_OPTION, NOT_JSON, PAYLOAD_TOO_LARGE, InvalidArguments, UNDECLARED_QUEUE, PRIORITIES_OFF
   */
  delay(this: Signature<NoInput, Out>): Promise<AsyncResult<Out>>;
  delay(input: In): Promise<AsyncResult<Out>>;
  async delay(input?: In): Promise<AsyncResult<Out>> {
    return (await this.#send({}, input)) as AsyncResult<Out>;
  }

  /** Sends it with options for all of its jobs. Throws as `delay` does. */
  apply(this: Signature<NoInput, Out>, options?: SendOptions): Promise<AsyncResult<Out>>;
  apply(options: SendOptions, input: In): Promise<AsyncResult<Out>>;
  async apply(options: SendOptions = {}, input?: In): Promise<AsyncResult<Out>> {
    return (await this.#send(options, input)) as AsyncResult<Out>;
  }

  /** What it is, as JSON: `signatureFrom()` reads it. */
  toJSON(): SignatureContent {
    return writeContent(this.content);
  }

  /** The same kind of signature with another content. */
  protected with(content: SignatureContent): this {
    const Class = this.constructor as new (content: SignatureContent, sender: SignatureSender | undefined) => this;
    return new Class(content, this.#sender);
  }

  static senderOf(signature: AnySignature): SignatureSender | undefined {
    return #sender in signature ? signature.#sender : undefined;
  }

  async #send(options: SendOptions, value: unknown): Promise<AsyncResult<unknown>> {
    const sender = this.#sender ?? onlySender;
    if (sender == null) {
      throw createError('INVALID_SIGNATURE', {
        problem: 'cannot send a signature that belongs to no app',
        next: 'call app.sendSignature(signature), or read it with signatureFrom(json, app)',
      });
    }
    return await sender.sendSignature(this, options, ...(value === undefined ? [] : [{ value }]));
  }
}

/** The signature of one task. */
export class StepSignature<in In, out Out> extends Signature<In, Out> {
  /**
   * Gives it options; those of before stay where these say nothing.
   *
   * @throws INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION
   */
  set(options: SignatureOptions): this {
    const content = this.content as StepContent;
    return this.with({
      ...content,
      options: Object.freeze(mergeOptions(content.options, parseSignatureOptions(options, content.task))),
    });
  }
}

export interface StepParts {
  readonly task: string;
  /** Without the value of the step before, which comes first. */
  readonly args: readonly unknown[];
  readonly immutable?: boolean;
  readonly options?: SignatureOptions;
}

/**
 * The signature of one task.
 *
 * @throws NOT_JSON for arguments that JSON cannot carry, INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION
 */
export function createStep<In = NoInput, Out = unknown>(
  sender: SignatureSender | undefined,
  { task, args, immutable = false, options }: StepParts,
): StepSignature<In, Out> {
  assertTaskName(task);
  const checked = parseSignatureOptions(options ?? {}, task);
  const content: StepContent = {
    kind: 'task',
    task,
    args: copyArgs(task, args),
    ...(immutable && { immutable: true }),
    ...(Object.keys(checked).length > 0 && { options: Object.freeze(checked) }),
  };
  return new StepSignature<In, Out>(content, sender);
}

/** Arguments are taken as they are now: what the caller does to them later is nothing to the signature. */
function copyArgs(task: string, args: readonly unknown[]): readonly unknown[] {
  const sent = withoutTrailingUndefined(args);
  const json = encodeJson(sent, `the arguments of task "${task}"`, 'args');
  const isFlat = sent.every((arg) => typeof arg !== 'object' || arg === null);
  return isFlat ? Object.freeze([...sent]) : freezeAll(JSON.parse(json));
}

function freezeAll<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const item of Object.values(value)) freezeAll(item);
  return Object.freeze(value);
}

export function senderOf(...signatures: readonly AnySignature[]): SignatureSender | undefined {
  for (const signature of signatures) {
    const sender = Signature.senderOf(signature);
    if (sender !== undefined) return sender;
  }
  return undefined;
}

export function isSignature(value: unknown): value is AnySignature {
  return typeof value === 'object' && value !== null && SIGNATURE_BRAND in value;
}

/** @throws INVALID_SIGNATURE for anything else */
export function assertSignature(value: unknown, where: string): asserts value is AnySignature {
  if (isSignature(value)) return;
  const given = typeof value === 'function' ? 'a function' : formatGiven(value);
  throw createError('INVALID_SIGNATURE', {
    problem: `${where} takes signatures, got ${given}`,
    next: 'write task.s(…) for a call of a task, or chain(), group() or chord()',
  });
}

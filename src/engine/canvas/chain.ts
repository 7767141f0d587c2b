import { createError } from '../core/errors.ts';
import type { SignatureSender } from './signature.ts';
import { type AnySignature, assertSignature, Signature, senderOf } from './signature.ts';
import type { ChainInput, ChainOutput, ChainSteps } from './signature-input.ts';
import { readContent } from './signature-json.ts';

/**
 * One step after another: each is entered with what the one before it gave, which comes first in its arguments. A group that is
 * followed by a step is a chord, whose body that step is.
 *
 * A step that does not accept what comes before it is an error of its types.
 *
 * @throws INVALID_SIGNATURE without any step, and for what is no signature
 */
export function chain<const Steps extends readonly AnySignature[]>(
  ...steps: ChainSteps<Steps>
): Signature<ChainInput<Steps>, ChainOutput<Steps>>;
export function chain(...steps: readonly AnySignature[]): AnySignature {
  if (steps.length === 0) {
    throw createError('INVALID_SIGNATURE', {
      problem: 'a chain must have at least one step, got none',
      next: 'give chain() the signatures of its steps',
    });
  }
  for (const step of steps) assertSignature(step, 'chain()');
  return new Signature({ kind: 'chain', steps: steps.map(({ content }) => content) }, senderOf(...steps));
}

/**
 * Reads a signature from what `toJSON()` gave. Its types are those that the caller claims.
 *
 * @param sender the app that sends it; without it, it can only be a part of another one
 * @throws INVALID_SIGNATURE naming the path to what is wrong; INVALID_OPTION, UNKNOWN_OPTION, INVALID_DURATION, NOT_JSON
 */
export function signatureFrom<In = unknown, Out = unknown>(
  json: unknown,
  sender?: SignatureSender,
): Signature<In, Out> {
  return new Signature<In, Out>(readContent(json), sender);
}

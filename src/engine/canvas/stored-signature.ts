import { Signature, type SignatureSender } from './signature.ts';
import { readContent } from './signature-json.ts';

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

import type { AnySignature, SendOptions } from '../../../src/engine/canvas/signature.ts';
import type { AsyncResult } from '../../../src/engine/results/async-result.ts';

/** What a sender was given. */
export interface Sent {
  readonly signature: AnySignature;
  readonly options: SendOptions | undefined;
  readonly input: { readonly value: unknown } | undefined;
}

/** A result that nothing is asked of. */
export function createAsyncResult(id: string): AsyncResult<unknown> {
  return { id } as AsyncResult<unknown>;
}

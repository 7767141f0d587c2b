/**
 * How types flow through a workflow. A signature has the type of what it is entered with and of what it gives. What can begin a workflow
 * takes `NoInput` among others; a step can follow another one when it takes what that one gives.
 *
 *     add.s(1, 2)   takes NoInput           add.s(2)   takes a number        add.si(1, 2)   takes anything
 */
import type { ErrorPolicy } from '../core/workflow/graph.ts';
import type { AnySignature, Signature } from './signature.ts';

export type InputOf<Given> = Given extends Signature<infer In, unknown> ? In : never;
export type OutputOf<Given> = Given extends Signature<never, infer Out> ? Out : never;

/** Each step is one that takes what the step before it gives. */
export type ChainSteps<Steps extends readonly AnySignature[]> = {
  [Index in keyof Steps]: Steps[Index] & Signature<OutputOf<Before<Steps>[Index & keyof Before<Steps>]>, unknown>;
};

/** The steps moved by one, so that each stands where the next one does. Nothing comes before the first. */
type Before<Steps extends readonly AnySignature[]> = readonly [Signature<unknown, never>, ...Steps];

/** What a chain is entered with: what its first step is. */
export type ChainInput<Steps extends readonly AnySignature[]> = Steps extends readonly [infer First, ...unknown[]]
  ? InputOf<First>
  : InputOf<Steps[number]>;

/** What a chain gives: what its last step does. */
export type ChainOutput<Steps extends readonly AnySignature[]> = Steps extends readonly [...unknown[], infer Last]
  ? OutputOf<Last>
  : OutputOf<Steps[number]>;

/** What a group is entered with: what all of its members take. */
export type GroupInput<Members extends readonly AnySignature[]> = Members extends readonly []
  ? unknown
  : Members extends readonly [infer First, ...infer Rest extends readonly AnySignature[]]
    ? InputOf<First> & GroupInput<Rest>
    : InputOf<Members[number]>;

/** What a group gives, by what a dead member means. */
export type GroupOutput<Members extends readonly AnySignature[], Policy extends ErrorPolicy> = Policy extends 'fail'
  ? { -readonly [Index in keyof Members]: OutputOf<Members[Index]> }
  : Policy extends 'ignore'
    ? OutputOf<Members[number]>[]
    : { -readonly [Index in keyof Members]: Settled<OutputOf<Members[Index]>> };

/** What became of a member, as a group with `onError: 'collect'` gives it. */
export type Settled<Value> =
  | { readonly status: 'fulfilled'; readonly value: Value }
  | { readonly status: 'rejected'; readonly reason: MemberFailure };

/** Why a member has no value. */
export interface MemberFailure {
  readonly id: string;
  readonly task: string;
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
}

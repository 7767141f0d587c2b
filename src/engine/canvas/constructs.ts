import { createError } from '../core/errors.ts';
import type { ErrorPolicy } from '../core/workflow/graph.ts';
import { type AnySignature, assertSignature, isSignature, Signature, senderOf } from './signature.ts';
import type { GroupContent } from './signature-content.ts';
import type { ChainInput, ChainOutput, ChainSteps, GroupInput, GroupOutput } from './signature-input.ts';
import { type GroupOptions, parseGroupOptions } from './signature-options.ts';

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
 * All members at once, each entered with the same value. It gives the list of what they give, in their order; without any, an empty
 * one. What a dead member means is said by `onError`.
 *
 * @throws INVALID_SIGNATURE for what is no signature, INVALID_OPTION, UNKNOWN_OPTION
 */
export function group<const Members extends readonly AnySignature[], Policy extends ErrorPolicy = 'fail'>(
  members: Members,
  options?: GroupOptions<Policy>,
): Signature<GroupInput<Members>, GroupOutput<Members, Policy>>;
export function group<const Members extends readonly AnySignature[]>(
  ...members: Members
): Signature<GroupInput<Members>, GroupOutput<Members, 'fail'>>;
export function group<const Members extends readonly AnySignature[], Policy extends ErrorPolicy = 'fail'>(
  ...membersAndOptions: [...Members, GroupOptions<Policy>]
): Signature<GroupInput<Members>, GroupOutput<Members, Policy>>;
export function group(...given: readonly unknown[]): AnySignature {
  const [first, second] = given;
  if (Array.isArray(first)) {
    if (given.length > 2 || isSignature(second)) {
      throw createError('INVALID_SIGNATURE', {
        problem: 'group() takes one list of members and then its options, got more',
        next: 'write group([a, b], options), or group(a, b, options)',
      });
    }
    return createGroup(first, second as GroupOptions | undefined);
  }
  const last = given.at(-1);
  const hasOptions = typeof last === 'object' && last !== null && !isSignature(last);
  return createGroup(hasOptions ? given.slice(0, -1) : given, hasOptions ? last : undefined);
}

/**
 * A group and its body, which is entered with the list of what the members gave once all have ended. Without any member, it is
 * entered with an empty list.
 *
 * @param header the members, or a group
 * @param options those of the group; a header that is a group has its own
 * @throws INVALID_SIGNATURE for what is no signature, INVALID_OPTION, UNKNOWN_OPTION
 */
export function chord<const Header extends readonly AnySignature[], Out, Policy extends ErrorPolicy = 'fail'>(
  header: Header,
  body: Signature<GroupOutput<Header, Policy>, Out>,
  options?: GroupOptions<Policy>,
): Signature<GroupInput<Header>, Out>;
export function chord<In, Values extends readonly unknown[], Out>(
  header: Signature<In, Values>,
  body: Signature<Values, Out>,
): Signature<In, Out>;
export function chord(header: unknown, body: AnySignature, options?: GroupOptions): AnySignature {
  assertSignature(body, 'the body of chord()');
  const members = Array.isArray(header) ? createGroup(header, options) : header;
  assertSignature(members, 'the header of chord()');
  if (members.content.kind !== 'group' || (options !== undefined && members === header)) {
    throw createError('INVALID_SIGNATURE', {
      problem:
        members.content.kind === 'group'
          ? 'a chord whose header is a group takes no options of its own'
          : `the header of a chord must be a list or a group, got a ${members.content.kind}`,
      next: 'write chord([a, b], body, options), or chord(group([a, b], options), body)',
    });
  }
  return new Signature({ kind: 'chain', steps: [members.content, body.content] }, senderOf(members, body));
}

function createGroup(members: readonly unknown[], options: GroupOptions = {}): AnySignature {
  const signatures: AnySignature[] = [];
  for (const member of members) {
    assertSignature(member, 'group()');
    signatures.push(member);
  }
  const content: GroupContent = {
    kind: 'group',
    members: signatures.map((member) => member.content),
    ...parseGroupOptions(options),
  };
  return new Signature(content, senderOf(...signatures));
}

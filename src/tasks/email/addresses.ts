import { emailRefusal } from '../refusal.ts';
import type { Address } from './email-input.ts';
import { assertHeaderText } from './header-text.ts';

export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** One or several addresses as a list, or none. */
export function listAddresses(given: Address | readonly Address[] | undefined): readonly Address[] {
  if (given === undefined) return [];
  return isList(given) ? given : [given];
}

/**
 * Reads one address. A text never stands for several: `a@x.example, b@x.example` is refused, so that a value from a form
 * cannot add a recipient.
 *
 * @param field names it in the error, for example `cc`
 * @throws EMAIL_REFUSED
 */
export function parseMailbox(given: Address, field: string, to: string): Mailbox {
  const { name, address } =
    typeof given === 'string' ? splitAddress(given) : { name: given.name ?? '', address: given.address };
  assertHeaderText(name, `the name in ${field}`, to);
  assertHeaderText(address, `the address in ${field}`, to);
  if (!MAILBOX.test(address) || address.length > LONGEST_ADDRESS) {
    throw emailRefusal(to, `${JSON.stringify(address.slice(0, 100))} in ${field} is not an e-mail address`);
  }
  return { name, address };
}

/** The recipients in a few words, for errors. */
export function describeRecipients(given: Address | readonly Address[]): string {
  const texts = listAddresses(given).map((one) => (typeof one === 'string' ? one : one.address).slice(0, 100));
  return texts.length <= 3 ? texts.join(', ') : `${texts.slice(0, 3).join(', ')} and ${texts.length - 3} more`;
}

function isList(given: Address | readonly Address[]): given is readonly Address[] {
  return Array.isArray(given);
}

/** `Name <address>`, `"Name" <address>` or the address alone. */
function splitAddress(given: string): Mailbox {
  const open = given.lastIndexOf('<');
  const trimmed = given.trim();
  if (open === -1 || !trimmed.endsWith('>')) return { name: '', address: trimmed };
  const name = given.slice(0, open).trim();
  const quoted = /^"(.*)"$/s.exec(name)?.[1];
  return {
    name: quoted?.replace(/\\(["\\])/g, '$1') ?? name,
    address: trimmed.slice(trimmed.lastIndexOf('<') + 1, -1).trim(),
  };
}

/**
 * RFC 5321's mailbox without its quoted form, which no provider gives out and which hides spaces and commas; letters
 * beyond ASCII are allowed (RFC 6531), and a host without a dot, for a server next door.
 */
const MAILBOX = /^[^\s"(),:;<>@[\]\\]{1,64}@[^\s"(),:;<>@[\]\\_]+$/u;
/** RFC 5321, 4.5.3.1.3. */
const LONGEST_ADDRESS = 254;

import { emailRefusal } from '../refusal.ts';

/**
 * A text that becomes part of a header must not hold a line break: everything after it would be a header of its own, such
 * as a further recipient (header injection). Refused rather than removed, because nobody writes one by accident.
 *
 * @param what names the text in the error, for example `the subject`
 * @throws EMAIL_REFUSED
 */
export function assertHeaderText(value: string, what: string, to: string): void {
  if (CONTROL.test(value)) {
    throw emailRefusal(
      to,
      `${what} holds a line break or another control character: ${JSON.stringify(value.slice(0, 100))}`,
    );
  }
}

/** C0, DEL, C1, and the line and paragraph separators. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * Checks the extra headers of an e-mail.
 *
 * @throws EMAIL_REFUSED for a malformed name, a control character, or a header that the e-mail's own fields decide
 */
export function assertHeaders(headers: Readonly<Record<string, string>>, to: string): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) {
      throw emailRefusal(to, `${JSON.stringify(name.slice(0, 100))} is not a header name`);
    }
    if (OWN_HEADER.test(name)) {
      throw emailRefusal(
        to,
        `the header "${name}" is set by the fields of the e-mail and cannot be given under \`headers\``,
      );
    }
    assertHeaderText(value, `the header "${name}"`, to);
  }
}

/** RFC 5322 ftext, without the characters that have a meaning in a header's value. */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;

const OWN_HEADER =
  /^(to|cc|bcc|from|sender|reply-to|subject|date|message-id|mime-version|content-.*|received|return-path|resent-.*)$/i;

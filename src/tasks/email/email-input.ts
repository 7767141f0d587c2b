import * as v from 'valibot';
import { shape, text } from '../input-shape.ts';

/*
 * The shape of an e-mail is checked by these schemas, when it is called and again when it is run. What the texts hold
 * (control characters, addresses, links) is checked while the message is composed, and refused as EMAIL_REFUSED.
 */

const ADDRESS = 'must be an e-mail address: user@example.com, "Name <user@example.com>" or { name, address }';

const addressText = v.pipe(v.string(ADDRESS), v.maxLength(1000, ADDRESS), v.includes('@', ADDRESS));

const address = v.union(
  [addressText, shape({ name: v.optional(v.string('must be a text')), address: addressText })],
  ADDRESS,
);

const MOST_RECIPIENTS = 1000;

const addresses = v.union(
  [
    address,
    v.pipe(
      v.array(address),
      v.minLength(1, 'must name at least one address'),
      v.maxLength(MOST_RECIPIENTS, `must name at most ${MOST_RECIPIENTS} addresses`),
    ),
  ],
  `${ADDRESS}, or a list of them`,
);

const headers = v.record(v.string(), v.string('must be a text'), 'must be an object of header names and texts');

/** What a template's placeholders are filled with. */
const values = v.record(
  v.string(),
  v.union([v.string(), v.number(), v.boolean()], 'must be a text, a number or a boolean'),
  'must be an object of names and values',
);

const attachmentFace = {
  /** The name that the reader sees; that of the file when it comes from a path. */
  filename: v.optional(text(255)),
  /** MIME type; guessed from the name without it. */
  contentType: v.optional(text(255)),
  /** Content id, for a picture that the HTML shows as `cid:...`. */
  cid: v.optional(text(255)),
};

const attachment = v.union(
  [
    shape({ path: text(4096), ...attachmentFace }),
    shape({
      content: v.string('must be a text'),
      encoding: v.optional(v.picklist(['utf8', 'base64', 'hex'], 'must be "utf8", "base64" or "hex"')),
      ...attachmentFace,
      filename: text(255),
    }),
  ],
  'must be { path } of a file inside the allowed root, or { content, encoding, filename }; both take contentType and cid',
);

export const emailInput = v.pipe(
  shape({
    to: addresses,
    cc: v.optional(addresses),
    bcc: v.optional(addresses),
    from: v.optional(address),
    replyTo: v.optional(addresses),
    /** Goes before the subject of the template. */
    subject: v.optional(v.string('must be a text')),
    text: v.optional(v.string('must be a text')),
    html: v.optional(v.string('must be a text')),
    template: v.optional(text(100)),
    context: v.optional(values),
    attachments: v.optional(
      v.pipe(v.array(attachment, 'must be a list'), v.maxLength(100, 'must have at most 100 entries')),
    ),
    headers: v.optional(headers),
  }),
  v.check(
    (mail) => (mail.template === undefined ? mail.text !== undefined || mail.html !== undefined : true),
    'needs a text, an html or a template',
  ),
  v.check(
    (mail) => mail.template === undefined || (mail.text === undefined && mail.html === undefined),
    'takes either a template or text and html, not both',
  ),
  v.check((mail) => mail.template !== undefined || mail.subject !== undefined, 'needs a subject'),
  v.check((mail) => mail.template !== undefined || mail.context === undefined, 'has a context but no template to fill'),
);

const letter = {
  to: address,
  /** Who is greeted. */
  name: v.optional(text(200)),
  /** What the e-mail speaks for: the name of the application. */
  product: v.optional(text(200)),
  from: v.optional(address),
  replyTo: v.optional(addresses),
  subject: v.optional(text(500)),
  /** Further values, for own templates. */
  context: v.optional(values),
};

const LINK = 'must be a link that starts with https:// or http://';
const link = v.pipe(v.string(LINK), v.regex(/^https?:\/\/\S+$/i, LINK), v.maxLength(4096, LINK));

/** Input of the e-mails whose template has a link to follow. */
export const letterInput = shape({ ...letter, url: link });

export type Address = v.InferOutput<typeof address>;
export type Attachment = v.InferOutput<typeof attachment>;
export type EmailInput = v.InferOutput<typeof emailInput>;
export type LetterInput = v.InferOutput<typeof letterInput>;
export type TemplateValues = v.InferOutput<typeof values>;

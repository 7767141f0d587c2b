import { basename } from 'node:path';
import { readInside } from '../allowed-root.ts';
import { emailRefusal } from '../refusal.ts';
import type { Attachment } from './email-input.ts';
import { assertHeaderText } from './header-text.ts';

export interface LoadedAttachment {
  readonly filename: string;
  readonly content: Buffer;
  readonly contentType?: string;
  readonly cid?: string;
}

export interface AttachmentLimits {
  /** The only folder that attachments are read from. */
  readonly root: string;
  /** Most bytes of all attachments together. */
  readonly limit: number;
}

/**
 * Reads the attachments into memory, so that what was checked is what is sent.
 *
 * @throws FILE_REFUSED for a path outside the root, absent or too large; EMAIL_REFUSED for anything else that is wrong
 */
export async function loadAttachments(
  attachments: readonly Attachment[],
  limits: AttachmentLimits,
  to: string,
): Promise<LoadedAttachment[]> {
  const loaded: LoadedAttachment[] = [];
  let left = limits.limit;
  for (const attachment of attachments) {
    const content =
      'path' in attachment ? await readFromRoot(attachment.path, limits.root, left) : decode(attachment, to);
    left -= content.length;
    if (left < 0) throw emailRefusal(to, `its attachments have more than the limit of ${limits.limit} bytes`);
    loaded.push({ content, ...face(attachment, to) });
  }
  return loaded;
}

async function readFromRoot(path: string, root: string, limit: number): Promise<Buffer> {
  const file = await readInside(root, { doing: 'reading an attachment', path }, limit);
  return file.bytes;
}

/** Node's decoder skips what does not belong; an attachment that arrives broken is worse than one that is refused. */
function decode(attachment: Extract<Attachment, { content: string }>, to: string): Buffer {
  const { content, encoding = 'utf8', filename } = attachment;
  const packed = encoding === 'utf8' ? content : content.replace(/\s+/g, '');
  const valid =
    encoding === 'utf8' ||
    (encoding === 'hex'
      ? /^([0-9a-f]{2})*$/i.test(packed)
      : /^[A-Za-z0-9+/]*={0,2}$/.test(packed) && packed.length % 4 !== 1);
  if (!valid) throw emailRefusal(to, `the content of attachment ${JSON.stringify(filename)} is not ${encoding}`);
  return Buffer.from(packed, encoding);
}

function face(attachment: Attachment, to: string): Omit<LoadedAttachment, 'content'> {
  const { contentType, cid } = attachment;
  const filename = attachment.filename ?? ('path' in attachment ? basename(attachment.path) : '');
  const what = `the name of attachment ${JSON.stringify(filename.slice(0, 100))}`;
  assertHeaderText(filename, what, to);
  if (/[/\\]/.test(filename)) throw emailRefusal(to, `${what} must be a plain file name`);
  if (contentType !== undefined && !CONTENT_TYPE.test(contentType)) {
    throw emailRefusal(
      to,
      `the content type ${JSON.stringify(contentType)} of attachment "${filename}" is not a MIME type`,
    );
  }
  if (cid !== undefined && !CONTENT_ID.test(cid)) {
    throw emailRefusal(
      to,
      `the content id ${JSON.stringify(cid)} of attachment "${filename}" must have no spaces, < or >`,
    );
  }
  return { filename, ...(contentType !== undefined && { contentType }), ...(cid !== undefined && { cid }) };
}

const CONTENT_TYPE = /^[\w.+-]+\/[\w.+-]+( *; *[\w-]+=("[^"\\\p{Cc}]*"|[\w.+-]+))*$/u;
const CONTENT_ID = /^[^\s<>\p{Cc}]+$/u;

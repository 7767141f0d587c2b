import { createError, messageOf } from '../../engine/core/errors.ts';
import { type LineBounds, readLines } from './line-reading.ts';
import { parseTransferLine, type TransferLine } from './transfer-line.ts';

export interface ImportFile {
  readonly path: string;
  /** What a person calls it: `-` for what came on stdin. */
  readonly name: string;
}

export interface InvalidLine {
  readonly line: number;
  readonly reason: string;
}

export interface ReadOptions {
  /** Is told of the lines that are left out. May throw, which ends the reading. */
  readonly onInvalid: (line: InvalidLine) => void;
  /** Leaves out, unread, lines that are certainly not wanted. */
  readonly mayBe?: (text: string) => boolean;
  readonly bounds?: LineBounds;
}

/**
 * The lines of an exported file, checked; one at a time, whatever its size.
 *
 * @throws IMPORT_UNREADABLE when the file cannot be opened or read
 */
export async function* readTransfer(
  { path, name }: ImportFile,
  { onInvalid, mayBe, bounds }: ReadOptions,
): AsyncIterable<TransferLine> {
  const lines = readLines(path, bounds)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value: line, done } = await lines.next().catch((error: unknown) => {
        throw createError('IMPORT_UNREADABLE', { path: name, reason: describe(error) }, error);
      });
      if (done === true) return;
      if ('fault' in line) onInvalid({ line: line.number, reason: line.fault });
      else if (mayBe?.(line.text) !== false) {
        const read = parseTransferLine(line.text, line.isOpen);
        if ('fault' in read) onInvalid({ line: line.number, reason: read.fault });
        else yield read;
      }
    }
  } finally {
    await lines.return?.();
  }
}

function describe(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it';
  return messageOf(error);
}

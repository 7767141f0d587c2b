import type { ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../../engine/core/errors.ts';

/** A line of a file, or why it has none there. */
export type Line =
  | {
      /** From 1. */
      readonly number: number;
      readonly text: string;
      /** The file ends in it: no line break follows. */
      readonly isOpen: boolean;
    }
  | { readonly number: number; readonly fault: string };

export interface LineBounds {
  /** Bytes of one line. Default 64 MiB. */
  readonly maxLineBytes?: number;
  /** Bytes that a packed file may become before it has to be packed less than `MAX_RATIO` to one. Default 1 GiB. */
  readonly trustedBytes?: number;
}

const MAX_LINE_BYTES = 64 * 2 ** 20;
const TRUSTED_BYTES = 2 ** 30;
/** Jobs that differ by little more than their ids are packed about 50 to one; what is packed far more is made to fill memories. */
const MAX_RATIO = 200;
const CHUNK_BYTES = 256 * 1024;
/** A chunk of a packed file becomes at most a thousand times as large. */
const PACKED_CHUNK_BYTES = 16 * 1024;
const LINE_BREAK = 10;

/**
 * The lines of a file, packed with gzip or not, which its first bytes say. Holds no more than one line. Lines that are empty are left
 * out. After a line that is too long it goes on with the next one; after any other fault there is no more to read.
 *
 * @throws what opening and reading the file throws
 */
export async function* readLines(path: string, bounds: LineBounds = {}): AsyncIterable<Line> {
  const file = await open(path, 'r');
  const splitter = new LineSplitter(bounds.maxLineBytes ?? MAX_LINE_BYTES);
  let raw: ReadStream | undefined;
  try {
    const isPacked = await beginsAsGzip(file);
    const highWaterMark = isPacked ? PACKED_CHUNK_BYTES : CHUNK_BYTES;
    raw = file.createReadStream({ autoClose: false, start: 0, highWaterMark });
    const chunks = isPacked ? unpack(raw, bounds.trustedBytes ?? TRUSTED_BYTES) : raw;
    for await (const chunk of chunks) yield* splitter.take(chunk as Buffer);
    yield* splitter.end();
  } catch (error) {
    const fault = describe(error);
    if (fault === undefined) throw error;
    yield { number: splitter.number, fault };
  } finally {
    raw?.destroy();
    await file.close();
  }
}

async function beginsAsGzip(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

class BombError extends Error {}

/** What comes out of a packed file; all that was packed before the place where it is cut comes out before the error does. */
async function* unpack(raw: ReadStream, trustedBytes: number): AsyncIterable<Buffer> {
  const gunzip = createGunzip();
  let ready: Buffer[] = [];
  let unpacked = 0;
  let failure: unknown;
  gunzip.on('data', (chunk: Buffer) => ready.push(chunk));
  gunzip.on('error', (error) => {
    failure = error;
  });
  const take = (): Buffer[] => {
    const taken = ready;
    ready = [];
    for (const { length } of taken) unpacked += length;
    if (unpacked > trustedBytes && unpacked > raw.bytesRead * MAX_RATIO) throw new BombError();
    return taken;
  };
  try {
    for await (const chunk of raw) {
      await new Promise<void>((resolve) => {
        // One that fails never calls back.
        gunzip.once('close', resolve);
        gunzip.write(chunk, () => {
          gunzip.off('close', resolve);
          resolve();
        });
      });
      yield* take();
      if (failure !== undefined) throw failure;
    }
    gunzip.end();
    await finished(gunzip).catch(() => undefined);
    yield* take();
    if (failure !== undefined) throw failure;
  } finally {
    gunzip.destroy();
  }
}

function describe(error: unknown): string | undefined {
  if (error instanceof BombError) {
    return `the packed file becomes more than ${MAX_RATIO} times its size, as one does that is made to fill a disk; if it is right, unpack it with gunzip and import that`;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return 'the packed file is cut: it ends before its end';
  if (code?.startsWith('Z_') === true) return `the packed file is damaged: ${messageOf(error)}`;
  return undefined;
}

class LineSplitter {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #parts: Buffer[] = [];
  #bytes = 0;
  #isTooLong = false;
  /** Of the line that is being read. */
  number = 1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  *take(chunk: Buffer): Iterable<Line> {
    let from = 0;
    for (;;) {
      const to = chunk.indexOf(LINE_BREAK, from);
      if (to === from && this.#bytes === 0) {
        this.number += 1;
        from += 1;
        continue;
      }
      const fault = this.#add(chunk.subarray(from, to === -1 ? chunk.length : to));
      if (fault !== undefined) yield fault;
      if (to === -1) return;
      yield* this.#finish(false);
      from = to + 1;
    }
  }

  *end(): Iterable<Line> {
    yield* this.#finish(true);
  }

  #add(part: Buffer): Line | undefined {
    if (this.#isTooLong || part.length === 0) return undefined;
    this.#bytes += part.length;
    if (this.#bytes <= this.#maxBytes) {
      this.#parts.push(part);
      return undefined;
    }
    this.#isTooLong = true;
    this.#parts = [];
    return { number: this.number, fault: `it is longer than ${this.#maxBytes / 2 ** 20} MiB` };
  }

  *#finish(isOpen: boolean): Iterable<Line> {
    const { number } = this;
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#isTooLong = false;
    this.number += 1;
    if (bytes.length === 0) return;
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      yield { number, fault: 'it is not text in UTF-8' };
      return;
    }
    if (text.trim() !== '') yield { number, text, isOpen };
  }
}

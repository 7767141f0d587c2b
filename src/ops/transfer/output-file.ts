import { once } from 'node:events';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { createError, messageOf } from '../../engine/core/errors.ts';

/** A new file of text that only its user can read; packed with gzip when its name ends in `.gz`. */
export class OutputFile {
  readonly path: string;
  /** Where it is written: another name until it is whole, where it replaces one that is there. */
  readonly #writtenTo: string;
  readonly #input: Writable;
  readonly #output: Writable;
  readonly #written: Promise<void>;
  #failure: unknown;

  private constructor(path: string, writtenTo: string, file: FileHandle) {
    this.path = path;
    this.#writtenTo = writtenTo;
    // It owns the file from here on: its end flushes and closes it.
    const output = file.createWriteStream({ flush: true });
    const packing = path.endsWith('.gz') ? createGzip() : undefined;
    this.#input = packing ?? output;
    this.#output = output;
    packing?.pipe(output);
    packing?.on('error', (error) => output.destroy(error));
    this.#written = finished(output);
    this.#written.catch((error: unknown) => {
      this.#failure = error;
      this.#input.destroy();
    });
  }

  /**
   * @param options.force replaces a file that is there
   * @throws EXPORT_REFUSED
   */
  static async create(path: string, { force }: { readonly force: boolean }): Promise<OutputFile> {
    const writtenTo = force ? `${path}.${process.pid}.part` : path;
    try {
      return new OutputFile(path, writtenTo, await open(writtenTo, 'wx', 0o600));
    } catch (error) {
      throw refuse(path, error);
    }
  }

  /** Resolves when more can be written. @throws EXPORT_REFUSED when the disk takes no more */
  async write(text: string): Promise<void> {
    if (this.#failure !== undefined) throw refuse(this.path, this.#failure);
    if (this.#input.write(text)) return;
    await Promise.race([once(this.#input, 'drain'), this.#written]).catch((error) => {
      throw refuse(this.path, this.#failure ?? error);
    });
  }

  /** Resolves once all is on the disk, and the file has its name. @returns its bytes */
  async finish(): Promise<number> {
    try {
      this.#input.end();
      await this.#written;
      const { size } = await stat(this.#writtenTo);
      if (this.#writtenTo !== this.path) await rename(this.#writtenTo, this.path);
      return size;
    } catch (error) {
      throw refuse(this.path, error);
    }
  }

  /** Takes the file away again. */
  async discard(): Promise<void> {
    this.#output.destroy();
    await this.#written.catch(() => undefined);
    await rm(this.#writtenTo, { force: true });
  }
}

function refuse(path: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  return createError(
    'EXPORT_REFUSED',
    { path, reason: REASONS[code ?? ''] ?? messageOf(error), code: code ?? '' },
    error,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'it is there already',
  ENOENT: 'its folder is not there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'this user may not write there',
  EISDIR: 'it is a folder',
};

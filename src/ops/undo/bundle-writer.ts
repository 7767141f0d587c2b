import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { BundleLine } from './bundle-format.ts';

const compress = promisify(gzip);

/** The name of a bundle that is being written ends so: nobody makes room by removing it. */
export const UNFINISHED = '.part';

/** Appends to a new bundle. Only its user can read it: jobs hold what is nobody else's. */
export class BundleWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  /** Ends behind the last whole member. */
  #bytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** @param path where the bundle will be when it is finished */
  static async create(path: string): Promise<BundleWriter> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path + UNFINISHED, 'wx', 0o600);
    await syncFolder(dirname(path));
    return new BundleWriter(path, file);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves once the lines are on the disk. When it fails the file is as it was before.
   *
   * @param makeRoom is told the size before anything is written, and may refuse it
   */
  async append(lines: readonly BundleLine[], makeRoom: (bytes: number) => Promise<void>): Promise<void> {
    const member = await compressLines(lines);
    await makeRoom(member.length);
    try {
      for (let from = 0; from < member.length; ) {
        const { bytesWritten } = await this.#file.write(member, from, member.length - from, this.#bytes + from);
        from += bytesWritten;
      }
      await this.#file.datasync();
    } catch (error) {
      await this.#file.truncate(this.#bytes).catch(() => undefined);
      throw error;
    }
    this.#bytes += member.length;
  }

  /** Takes the file away again. */
  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#path + UNFINISHED, { force: true });
  }

  /** Gives the file its name, and lets it go. */
  async finish(): Promise<void> {
    await this.#file.close();
    await rename(this.#path + UNFINISHED, this.#path);
    await syncFolder(dirname(this.#path));
  }
}

/** Characters of one gzip member: a page of jobs with large arguments is longer than a text can be. */
const MEMBER_LENGTH = 8 * 2 ** 20;

async function compressLines(lines: readonly BundleLine[]): Promise<Buffer> {
  const members: Buffer[] = [];
  let text = '';
  for (const [index, line] of lines.entries()) {
    text += `${JSON.stringify(line)}\n`;
    if (text.length < MEMBER_LENGTH && index < lines.length - 1) continue;
    members.push(await compress(text, { level: constants.Z_BEST_SPEED }));
    text = '';
  }
  return Buffer.concat(members);
}

/** The name of a new file is safe when its folder is. Not every file system can do it; where it cannot, the name is safe by itself. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

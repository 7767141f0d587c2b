import { BULK_PAGE } from '../../engine/broker/bulk-port.ts';
import { createError, messageOf, TqError } from '../../engine/core/errors.ts';
import type { JobRecord } from '../../engine/core/job-record.ts';
import { readLines } from '../transfer/line-reading.ts';
import {
  BUNDLE_VERSION,
  type BundleHeader,
  type BundleLine,
  type BundlePage,
  type BundleRecord,
} from './bundle-format.ts';

/** Jobs that were changed together, without those that were left alone. */
export interface KeptPage extends BundlePage {
  readonly kept: readonly BundleRecord[];
}

/** Reads a bundle page by page; holds no more than three pages. */
export class BundleReader {
  readonly #path: string;
  #header: BundleHeader | undefined;
  #isCut = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Set once `pages` has reached its end: the file has none, because its writer died or is still at work. What was read is whole. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** @throws UNDO_UNREADABLE */
  async readHeader(): Promise<BundleHeader> {
    for await (const _ of this.#lines()) if (this.#header !== undefined) return this.#header;
    throw this.#fault('it does not begin as a bundle does');
  }

  /** @throws UNDO_UNREADABLE when the file is no bundle, or one of a newer version */
  async *pages(): AsyncIterable<KeptPage> {
    // What was left alone of a page is said after it, and before more than two pages of others.
    let open: OpenPage[] = [];
    let isEnded = false;
    for await (const line of this.#lines()) {
      isEnded = 'end' in line;
      if ('left' in line) {
        for (const page of open) page.leaveOut(line.queue, line.left);
      } else if ('page' in line) {
        open.push(new OpenPage(line.page));
      } else if ('record' in line) {
        open.at(-1)?.add(line);
        for (const page of open.slice(0, -1)) page.countLater(line);
        const whole = open.filter((page) => page.isWhole);
        open = open.filter((page) => !page.isWhole);
        for (const page of whole) if (!page.isEmpty) yield page.toKept();
      }
    }
    this.#isCut = !isEnded;
    for (const page of open) if (!page.isEmpty) yield page.toKept();
  }

  /** Ends where the file does, or where it cannot be read any more. */
  async *#lines(): AsyncIterable<BundleLine> {
    let fault: string | undefined;
    let isFirst = true;
    const rows = readLines(this.#path, { trustedBytes: Number.POSITIVE_INFINITY });
    try {
      for await (const row of rows) {
        if ('fault' in row) {
          fault = row.fault;
          break;
        }
        const line = row.isOpen ? undefined : parseLine(row.text);
        if (isFirst) this.#header = this.#checkHeader(line);
        isFirst = false;
        if (line === undefined) return;
        yield line;
      }
    } catch (error) {
      if (error instanceof TqError) throw error;
      fault = messageOf(error);
    }
    if (isFirst) throw this.#fault(fault ?? 'it is empty');
  }

  #checkHeader(line: BundleLine | undefined): BundleHeader {
    if (line === undefined || !('bundle' in line)) throw this.#fault('it does not begin as a bundle does');
    const { bundle } = line;
    if (bundle.v > BUNDLE_VERSION)
      throw this.#fault(`it was written by a newer tq, as version ${bundle.v} of the format`);
    return bundle;
  }

  #fault(reason: string): Error {
    return createError('UNDO_UNREADABLE', { path: this.#path, reason });
  }
}

/** Data of jobs that come later, in characters, after which nothing more is said of a page: large jobs come in small pages. */
const LATER_LENGTH = 32 * 2 ** 20;

/** A page of which may still be said what was left alone. */
class OpenPage {
  readonly #page: BundlePage;
  #kept: BundleRecord[] = [];
  #later = 0;
  #laterLength = 0;

  constructor(page: BundlePage) {
    this.#page = page;
  }

  add(record: BundleRecord): void {
    this.#kept.push(record);
  }

  countLater({ record }: BundleRecord): void {
    this.#later += 1;
    this.#laterLength += record.data.length;
  }

  leaveOut(queue: string, ids: readonly string[]): void {
    const left = new Set(ids);
    this.#kept = this.#kept.filter(({ record }) => record.queue !== queue || !left.has(record.id));
  }

  get isWhole(): boolean {
    return this.#later >= 2 * BULK_PAGE || this.#laterLength > LATER_LENGTH;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  toKept(): KeptPage {
    return { ...this.#page, kept: this.#kept };
  }
}

function parseLine(text: string): BundleLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? (line as BundleLine) : undefined;
  } catch {
    return undefined;
  }
}

/** The jobs of a page. */
export function recordsOf({ kept }: KeptPage): JobRecord[] {
  return kept.map(({ record }) => record);
}

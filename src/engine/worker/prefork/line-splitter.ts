/** Cuts text that comes in pieces into its lines; what follows the last line feed waits for its end. */
export class LineSplitter {
  readonly #maxLength: number;
  #pieces: string[] = [];
  #length = 0;

  /** @param maxLength characters that may wait for a line feed */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** What waits for its end is longer than it may be. */
  get isTooLong(): boolean {
    return this.#length > this.#maxLength;
  }

  /** Calls `onLine` for each line that ends in this piece, without its line feed. */
  push(text: string, onLine: (line: string) => void): void {
    let from = 0;
    let end = text.indexOf('\n');
    while (end >= 0) {
      const line = text.slice(from, end);
      onLine(this.#length === 0 ? line : this.take() + line);
      from = end + 1;
      end = text.indexOf('\n', from);
    }
    if (from === text.length) return;
    this.#pieces.push(from === 0 ? text : text.slice(from));
    this.#length += text.length - from;
  }

  /** Gives up what waits for its end, and forgets it. */
  take(): string {
    const text = this.#pieces.join('');
    this.#pieces = [];
    this.#length = 0;
    return text;
  }
}

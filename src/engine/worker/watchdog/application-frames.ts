import { fileURLToPath } from 'node:url';

export interface StackFrame {
  /** Empty for a function without a name. */
  readonly name: string;
  /** `file:` URL, path, or a name of Node's own such as `node:fs`. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

const MAX_FRAMES = 5;
/** Where the code of the engine lies, of this copy of the package: `…/dist/engine/` or `…/src/engine/`. */
const ENGINE = fileURLToPath(new URL('../../', import.meta.url));

/**
 * The frames that a person can act on, innermost first: those of the application and its packages, at most five. Below the
 * task function is the engine alone, so what follows its first frame is left out, as in the stacks of errors.
 */
export function formatApplicationFrames(frames: readonly StackFrame[]): string[] {
  const placed = frames.map((frame) => ({ ...frame, file: toFile(frame.url) }));
  const end = placed.findIndex(({ file }) => file.startsWith(ENGINE));
  return placed
    .slice(0, end < 0 ? placed.length : end)
    .filter(({ file }) => file !== '' && !file.startsWith('node:'))
    .slice(0, MAX_FRAMES)
    .map(({ name, file, line, column }) => `${name === '' ? '<anonymous>' : name} (${file}:${line}:${column})`);
}

function toFile(url: string): string {
  try {
    return url.startsWith('file:') ? fileURLToPath(url) : url;
  } catch {
    return url;
  }
}

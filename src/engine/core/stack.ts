import { fileURLToPath } from 'node:url';

/** Where the code of the engine lies, of this copy of the package: `…/dist/engine/` or `…/src/engine/`. As a frame has it. */
const ENGINE = fileURLToPath(new URL('../', import.meta.url));

/**
 * A stack without the frames below the task: what called the task function is tq's business, and the same every time.
 * Cut at the first frame of the engine; the header of an error that the engine made itself stays alone.
 */
export function trimStack(stack: string): string {
  const lines = stack.split('\n');
  const first = lines.findIndex((line) => line.includes(ENGINE) && /^\s+at /.test(line));
  return first < 0 ? stack : lines.slice(0, first).join('\n');
}

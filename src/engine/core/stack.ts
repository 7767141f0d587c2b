/** Where the code of the engine lies, of this copy of the package: `…/dist/engine/` or `…/src/engine/`. */
const ENGINE = new URL('../', import.meta.url).href;

/**
 * A stack without the frames below the task: what called the task function is tq's business, and the same every time.
 * Cut at the first frame of the engine; the header of an error that the engine made itself stays alone.
 */
export function trimStack(stack: string): string {
  const lines = stack.split('\n');
  const first = lines.findIndex((line) => line.includes(ENGINE) && /^\s+at /.test(line));
  return first < 0 ? stack : lines.slice(0, first).join('\n');
}

/**
 * Does something to a page of jobs a slice at a time, one after the other, so that what others ask of the store comes in between.
 *
 * @param act gives those that it was done to
 * @returns those of all slices
 */
export async function inSlices<Item, Done>(
  items: readonly Item[],
  size: number,
  act: (slice: readonly Item[]) => Promise<readonly Done[]>,
): Promise<Done[]> {
  const done: Done[] = [];
  for (let at = 0; at < items.length; at += size) done.push(...(await act(items.slice(at, at + size))));
  return done;
}

/** Runs an operation on a list, so many at once, one part after the other; gives all results. */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  size: number,
  operation: (batch: readonly Item[]) => Promise<readonly Result[]>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += size) {
    for (const result of await operation(items.slice(from, from + size))) results.push(result);
  }
  return results;
}

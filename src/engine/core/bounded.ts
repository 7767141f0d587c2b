/**
 * Runs an operation for each item, at most so many at once. When one fails, no further one is begun.
 *
 * @returns what they gave, in the order of the items
 */
export async function mapBounded<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  operation: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  const rest = items.entries();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const [index, item] of rest) {
      if (failed) return;
      results[index] = await operation(item);
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, () =>
    lane().catch((error) => {
      failed = true;
      throw error;
    }),
  );
  await Promise.all(lanes);
  return results;
}

/**
 * The same items, the next one being asked for while the one before is worked on: one ahead, never more. When the reader leaves, what was
 * asked for is waited for and dropped, so that nothing is left open.
 */
export async function* readAhead<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item, void, void> {
  const source = items[Symbol.asyncIterator]();
  let next = source.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = source.next();
      // Its error is thrown where it is taken, or dropped with it.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await next.catch(() => undefined);
    await source.return?.();
  }
}

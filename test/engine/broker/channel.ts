/** What a test hears, in the order it happened: nothing is lost between two waits, and a wait ends with the event. */
export interface Channel<Item> {
  push(item: Item): void;
  /** The oldest item that was not awaited yet, or the next one to come. */
  next(): Promise<Item>;
  take(count: number): Promise<Item[]>;
  /** Everything that was ever pushed. */
  readonly all: readonly Item[];
}

export function createChannel<Item>(): Channel<Item> {
  const all: Item[] = [];
  const waiting: ((item: Item) => void)[] = [];
  let read = 0;

  const next = (): Promise<Item> => {
    const position = read++;
    if (position < all.length) return Promise.resolve(all[position] as Item);
    return new Promise((resolve) => waiting.push(resolve));
  };

  return {
    all,
    next,
    push(item) {
      all.push(item);
      waiting.shift()?.(item);
    },
    async take(count) {
      const items: Item[] = [];
      while (items.length < count) items.push(await next());
      return items;
    },
  };
}

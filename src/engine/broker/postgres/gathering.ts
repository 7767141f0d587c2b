import { isTrouble } from '../trouble.ts';

/** What is done to one thing at a time, or to many by one statement. */
interface Work<Item, Answer> {
  readonly one: (item: Item) => Promise<Answer>;
  /** Gives the answers in the order of the items. */
  readonly all: (items: readonly Item[]) => Promise<readonly Answer[]>;
}

/** Things of one statement. */
const MOST = 100;
/** Statements under way: what is asked for meanwhile goes together into the next one. */
const AT_ONCE = 2;

/**
 * Does together what is asked for at about the same time: a statement, and a commit, costs many times what it does to one row. Who asks
 * alone waits for nobody.
 *
 * Where the statement for many is refused, each thing is done alone, so that the guilty one alone fails. Where the connection is lost, all
 * of them fail as one would: whether it was done is not known.
 */
export function gather<Item, Answer>({ one, all }: Work<Item, Answer>): (item: Item) => Promise<Answer> {
  let pending: Call<Item, Answer>[] = [];
  let underWay = 0;
  let isScheduled = false;

  const settleAlone = ({ item, resolve, reject }: Call<Item, Answer>): Promise<void> => one(item).then(resolve, reject);

  const settleAll = async (calls: readonly Call<Item, Answer>[]): Promise<void> => {
    try {
      const answers = await all(calls.map(({ item }) => item));
      for (const [index, { resolve }] of calls.entries()) resolve(answers[index] as Answer);
    } catch (error) {
      if (isRefusal(error)) await Promise.all(calls.map(settleAlone));
      else for (const { reject } of calls) reject(error);
    }
  };

  const flush = (): void => {
    isScheduled = false;
    while (pending.length > 0 && underWay < AT_ONCE) {
      const calls = pending.slice(0, MOST);
      pending = pending.slice(MOST);
      underWay += 1;
      const [only, ...others] = calls as [Call<Item, Answer>, ...Call<Item, Answer>[]];
      void (others.length === 0 ? settleAlone(only) : settleAll(calls)).finally(() => {
        underWay -= 1;
        schedule();
      });
    }
  };

  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(flush);
  };

  return (item) =>
    new Promise((resolve, reject) => {
      pending.push({ item, resolve, reject });
      schedule();
    });
}

interface Call<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** An answer of the server about the statement: not about the connection, or its own end. */
function isRefusal(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !isTrouble(error);
}

import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Subscriber {
  readonly email: string;
  readonly name: string;
}

/** A file with one subscriber a line. It stays open for as long as the process runs, as a database connection would. */
export interface Subscribers {
  /** @returns false when this address is subscribed already */
  add(subscriber: Subscriber): Promise<boolean>;
  close(): Promise<void>;
}

export async function openSubscribers(file: string): Promise<Subscribers> {
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'a');
  return {
    async add(subscriber) {
      const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
      if (lines.some((line) => (JSON.parse(line) as Subscriber).email === subscriber.email)) return false;
      await handle.appendFile(`${JSON.stringify(subscriber)}\n`);
      return true;
    },
    close: () => handle.close(),
  };
}

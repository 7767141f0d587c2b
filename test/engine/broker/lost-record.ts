import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Workshop } from './workshop.ts';

/** Takes the record of a job away and leaves everything else of it, as a client that was killed half-way or a hand may do. */
export async function loseRecord(
  { store, url }: Pick<Workshop, 'store' | 'url'>,
  queue: string,
  id: string,
): Promise<void> {
  if (store === 'redis') {
    const own = new URL(url);
    const prefix = own.searchParams.get('prefix') ?? 'bull';
    own.search = '';
    const client = new Redis(own.href);
    await client.del(`${prefix}:${queue}:${id}`);
    for (const list of ['wait', 'active']) await client.lrem(`${prefix}:${queue}:${list}`, 0, id);
    for (const set of ['delayed', 'prioritized']) await client.zrem(`${prefix}:${queue}:${set}`, id);
    client.disconnect();
  } else if (store === 'postgres') {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('DELETE FROM bullmq.job WHERE queue = $1 AND id = $2', [queue, id]);
    await client.end();
  } else {
    const database = new DatabaseSync(url.slice('sqlite:'.length));
    database.prepare('DELETE FROM job WHERE id = ?').run(id);
    database.close();
  }
}

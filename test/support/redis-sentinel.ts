import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort } from './free-port.ts';
import { askRedis } from './redis-ask.ts';
import { type RedisOptions, type RedisServer, startRedis, untilReady } from './redis-server.ts';
import { createFolderOfRun } from './run-folder.ts';
import { startServerProcess } from './server-process.ts';
import { waitFor } from './wait-for.ts';

export interface RedisSentinel {
  /** Broker URL in tq's form: the sentinel and the name of the master that it watches. */
  readonly url: string;
  readonly port: number;
  readonly masterName: string;
  readonly master: RedisServer;
  /** Ends the sentinel and the master. */
  stop(): Promise<void>;
}

const masterName = 'tq-master';

/**
 * Starts a master and one sentinel that watches it; resolves when the sentinel gives out the master's address.
 * One sentinel finds addresses and notices that a master is away; there is no replica to promote.
 */
export async function startRedisSentinel(options: Pick<RedisOptions, 'password'> = {}): Promise<RedisSentinel> {
  const master = await startRedis(options);
  const folder = createFolderOfRun('sentinel');
  const port = await findFreePort();
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${masterName} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${masterName} 1000`,
    ...(options.password ? [`sentinel auth-pass ${masterName} ${options.password}`] : []),
    'set-proc-title no',
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const sentinel = await startServerProcess({ command: 'redis-server', args: [file, '--sentinel'], mark: folder });
  await untilReady(sentinel, { port }, 'PONG');
  await waitFor('the sentinel to know its master', async () =>
    (await askRedis({ port }, `SENTINEL GET-MASTER-ADDR-BY-NAME ${masterName}`)).includes(String(master.port)),
  );
  const credentials = options.password ? `:${options.password}@` : '';
  return {
    url: `redis+sentinel://${credentials}127.0.0.1:${port}/${masterName}`,
    port,
    masterName,
    master,
    async stop() {
      await sentinel.stop('SIGTERM');
      await master.stop();
    },
  };
}

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { PostgresConnection } from 'bullmq';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { LastingClient, surviveLastWords } from '../../../../src/engine/broker/postgres/lasting-client.ts';

const LAST_WORD = 'terminating connection due to unexpected postmaster exit';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that dies while it lets a client in: that it is ready and its last word are one piece. */
async function startDyingServer(): Promise<string> {
  const message = (kind: string, body: string): Buffer => {
    const head = Buffer.alloc(5);
    head.write(kind, 'latin1');
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, Buffer.from(body, 'latin1')]);
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      const lastWord = `SFATAL\0C57P01\0M${LAST_WORD}\0\0`;
      socket.end(Buffer.concat([message('R', '\0\0\0\0'), message('Z', 'I'), message('E', lastWord)]));
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `postgres://tq@127.0.0.1:${(server.address() as AddressInfo).port}/tq`;
}

test('a server that dies while it lets a client in ends no process', async () => {
  const client = new LastingClient({ connectionString: await startDyingServer() });
  const ended = Promise.withResolvers<void>();
  client.once('end', ended.resolve);
  await client.connect();
  await ended.promise;
});

test('nor does it when BullMQ opens the connection that it waits on', async () => {
  const connection = new PostgresConnection({ connectionString: await startDyingServer() });
  surviveLastWords(connection);
  const client = await connection.getListenClient();
  expect(client).toBeInstanceOf(LastingClient);
  await connection.close();
});

test('nor when a connection of a pool is in use', async () => {
  const pool = new pg.Pool({ connectionString: await startDyingServer(), Client: LastingClient });
  const client = await pool.connect();
  await expect(client.query('SELECT 1')).rejects.toThrow();
  client.release(true);
  await pool.end();
});

test('a client whose listeners were all taken off goes on hearing', () => {
  const client = new LastingClient();
  client.removeAllListeners();
  expect(() => client.emit('error', new Error(LAST_WORD))).not.toThrow();
});

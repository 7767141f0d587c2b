import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { surviveLastWords } from '../../../../src/engine/broker/postgres/last-words.ts';

test('the last word of a server to a client that is being ended is no error that nobody hears', async () => {
  const client = new EventEmitter();
  const connection = {
    listenClient: client,
    async close() {
      client.removeAllListeners();
      client.emit('error', new Error('terminating connection due to administrator command'));
    },
  };
  await expect(connection.close()).rejects.toThrow('terminating connection');
  surviveLastWords({ connection });
  await connection.close();
});

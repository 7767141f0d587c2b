import { Relay } from 'bullmq';
import { createSqliteRelayBackend } from '../../../../../src/sqlite.ts';

/**
 * A node of a relay in a process of its own: it answers what is asked on `ask.*` on the topic that the question names.
 *
 * Arguments: path of the database, id of the node. Says `ready` once it listens, and `closed` after it was told to stop.
 */
const [path = '', nodeId = ''] = process.argv.slice(2);
const relay = new Relay({ connection: { path }, backend: createSqliteRelayBackend, nodeId });

await relay.subscribe<{ replyTo: string; number: number }>('ask.*', async ({ topic, data }) => {
  await relay.publish(data.replyTo, { topic, double: data.number * 2, by: nodeId });
});
process.once('message', async () => {
  await relay.close();
  process.stdout.write('closed\n');
  process.disconnect();
});
process.stdout.write('ready\n');

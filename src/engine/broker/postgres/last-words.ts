/**
 * BullMQ takes all listeners off the client that it listens with before it ends it. The last word of a server that goes away in
 * this moment ("terminating connection") would then be an error that nobody hears, which ends the process. So the client keeps
 * one that hears nothing.
 *
 * The same goes for a connection of its pool that is in use when the server goes away.
 *
 * @param owner a backend of BullMQ with its connection, whose client is a private part
 */
export function surviveLastWords(owner: object): void {
  const { connection } = owner as { readonly connection?: Closable };
  if (connection === undefined) return;
  // A pool hears its idle connections alone, and one that is in use says its last word too.
  connection.pool?.on('connect', (client) => client.on('error', () => {}));
  const close = connection.close.bind(connection);
  connection.close = async () => {
    const client = connection.listenClient ?? (await connection.listenClientPromise?.catch(() => undefined));
    if (client !== undefined) {
      const removeAll = client.removeAllListeners.bind(client);
      client.removeAllListeners = (...events) => {
        removeAll(...events);
        return client.on('error', () => {});
      };
    }
    await close();
  };
}

interface Client {
  removeAllListeners(...events: string[]): Client;
  on(event: 'error', listener: () => void): Client;
}

interface Closable {
  readonly pool?: { on(event: 'connect', listener: (client: Client) => void): unknown };
  close(): Promise<void>;
  readonly listenClient?: Client;
  readonly listenClientPromise?: Promise<Client | undefined>;
}

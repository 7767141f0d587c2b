import pg from 'pg';

/**
 * A client that always has someone who listens to its errors. The last word of a server that goes away ("terminating
 * connection") reaches a client also where nobody waits for an answer, and an error that nobody hears ends the process. Whoever
 * has a statement under way still hears of the loss from it.
 */
export class LastingClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on('error', hearNothing);
  }

  override removeAllListeners(event?: string | symbol): this {
    super.removeAllListeners(event);
    return this.on('error', hearNothing) as this;
  }
}

function hearNothing(): void {}

/**
 * Gives BullMQ's connection to PostgreSQL clients that survive the last word of their server. BullMQ listens to the errors of the client
 * that it listens with only a moment after it is connected, and no more when it ends it; a pool hears its idle connections
 * alone, not one that is in use.
 *
 * @param connection of BullMQ, which has opened nothing yet; the module that it makes its clients of is a private part
 */
export function surviveLastWords(connection: object): void {
  const { pool, pgModule } = connection as { readonly pool: { Client: unknown }; readonly pgModule: object };
  pool.Client = LastingClient;
  Object.assign(connection, { pgModule: { ...pgModule, Client: LastingClient } });
}

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * A proxy between a client and its server: counts connections and round trips, and can hold back what the server says.
 * It speaks bytes, so it serves every store.
 */
export interface Tap {
  /** The server's URL with the address of the tap. */
  readonly url: string;
  /** Connections that are open now. */
  readonly open: number;
  /** How often a client spoke after its server had answered, over all connections since the tap was made. */
  readonly turns: number;
  /**
   * Holds back every answer on a connection from the moment its client sends a request that contains the text. Resolves
   * when that has happened.
   */
  holdAnswersTo(text: string): Promise<void>;
  /** Lets through what was held back, and holds nothing any more. */
  letThrough(): void;
  /** Resolves when no connection is open. */
  untilUnused(): Promise<void>;
  close(): Promise<void>;
}

interface Wire {
  readonly client: Socket;
  readonly server: Socket;
  held: Buffer[] | undefined;
  lastSpeaker: 'client' | 'server' | undefined;
}

export async function createTap(url: string): Promise<Tap> {
  const target = new URL(url);
  const wires = new Set<Wire>();
  const unused: (() => void)[] = [];
  let turns = 0;
  let hold: { text: string; begun: () => void } | undefined;

  const end = (wire: Wire): void => {
    wire.client.destroy();
    wire.server.destroy();
    if (!wires.delete(wire) || wires.size > 0) return;
    for (const resolve of unused.splice(0)) resolve();
  };

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const wire: Wire = { client, server: upstream, held: undefined, lastSpeaker: undefined };
    wires.add(wire);
    client.on('data', (chunk) => {
      if (wire.lastSpeaker !== 'client') turns += 1;
      wire.lastSpeaker = 'client';
      if (hold !== undefined && chunk.includes(hold.text)) {
        wire.held = [];
        hold.begun();
        hold = undefined;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      wire.lastSpeaker = 'server';
      if (wire.held === undefined) client.write(chunk);
      else wire.held.push(chunk);
    });
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => end(wire));
      socket.on('close', () => end(wire));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const tapped = new URL(url);
  tapped.hostname = '127.0.0.1';
  tapped.port = String((server.address() as { port: number }).port);

  return {
    url: tapped.href,
    get open() {
      return wires.size;
    },
    get turns() {
      return turns;
    },
    holdAnswersTo: (text) =>
      new Promise((resolve) => {
        hold = { text, begun: resolve };
      }),
    letThrough() {
      hold = undefined;
      for (const wire of wires) {
        for (const chunk of wire.held ?? []) wire.client.write(chunk);
        wire.held = undefined;
      }
    },
    untilUnused: () => new Promise((resolve) => (wires.size === 0 ? resolve() : unused.push(resolve))),
    async close() {
      for (const wire of [...wires]) end(wire);
      server.close();
      await once(server, 'close');
    },
  };
}

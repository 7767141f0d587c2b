import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RedisEndpoint {
  readonly port: number;
  readonly password?: string;
  /** Certificate authority in PEM; its presence switches TLS on. */
  readonly ca?: string;
}

/**
 * Sends one inline command on a fresh connection and returns the raw reply. It asks with nothing but a socket, so that a
 * server is found ready or not without the client library that the tests are about.
 *
 * @throws Error when the connection fails or the reply is a Redis error
 */
export async function askRedis(endpoint: RedisEndpoint, command: string): Promise<string> {
  const { port, password, ca } = endpoint;
  const socket: Socket = ca
    ? connectTls({ host: '127.0.0.1', port, ca })
    : connectPlain({ host: '127.0.0.1', port, noDelay: true });
  try {
    await once(socket, ca ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(5_000) });
    if (password) await exchange(socket, `AUTH ${password}`);
    return await exchange(socket, command);
  } finally {
    socket.destroy();
  }
}

async function exchange(socket: Socket, command: string): Promise<string> {
  socket.write(`${command}\r\n`);
  const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
  const reply = chunk.toString();
  if (reply.startsWith('-')) throw new Error(`${command.split(' ', 1)[0]}: ${reply.slice(1).trim()}`);
  return reply;
}

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Channel, createChannel } from '../../engine/broker/channel.ts';

export interface Posted {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookServer {
  /** Of its root, without a slash at the end. */
  readonly url: string;
  readonly host: string;
  /** What was posted, in order. */
  readonly posted: Channel<Posted>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A place that takes alerts. @param answer undefined never answers */
export async function startWebhookServer(
  answer: (posted: Posted) => Answer | undefined = () => ({ status: 204 }),
): Promise<WebhookServer> {
  const posted = createChannel<Posted>();
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const one = { method, path: url, headers, body: await text(request) };
    posted.push(one);
    const given = answer(one);
    if (given !== undefined) response.writeHead(given.status, given.headers).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    posted,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createError, messageOf } from '../engine/core/errors.ts';

/** The health of a service as its port tells it: what else is there stands in the body. */
export interface ServiceHealth {
  /** It does its work, or will without help. Otherwise restart it. */
  readonly live: boolean;
  /** It does its work now. */
  readonly ready: boolean;
  readonly phase: 'starting' | 'running' | 'stopping';
  /** Why it is not ready, one sentence each. */
  readonly problems: readonly string[];
}

/** What has a health port. */
export interface HealthyService {
  readonly health: ServiceHealth;
}

export interface HealthPort {
  readonly host: string;
  readonly port: number;
  /** From now on, the answers are about this one. */
  show(service: HealthyService): void;
  close(): Promise<void>;
}

/** Whoever has connected and sends nothing. */
const REQUEST_LIMIT_MS = 5000;

/**
 * Opens the port that probes ask: `/healthz`, whether the service is live, and `/readyz`, whether it does its work. 200 is yes,
 * 503 is no, and the body is its health as JSON. It answers from before the service has started until after it has stopped.
 *
 * @param host undefined for all interfaces, which the probes of Kubernetes need
 * @param port 0 takes a free one
 * @param what the service is, for its first answers
 * @throws HEALTH_PORT_REFUSED
 */
export async function openHealthPort(host: string | undefined, port: number, what = 'worker'): Promise<HealthPort> {
  let service: HealthyService | undefined;
  const starting: ServiceHealth = {
    live: true,
    ready: false,
    phase: 'starting',
    problems: [`the ${what} is starting`],
  };
  const server = createServer(
    { requestTimeout: REQUEST_LIMIT_MS, headersTimeout: REQUEST_LIMIT_MS },
    (request, response) => answer(request, response, service?.health ?? starting),
  );
  server.listen({ host, port });
  await once(server, 'listening').catch((error) => {
    throw createError('HEALTH_PORT_REFUSED', { host: host ?? 'all interfaces', port, reason: reasonOf(error) }, error);
  });
  const address = server.address() as AddressInfo;
  return {
    host: address.address,
    port: address.port,
    show(shown) {
      service = shown;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, health: ServiceHealth): void {
  const { status, body } = chooseAnswer(request, health);
  if (status === 405) response.setHeader('allow', 'GET, HEAD');
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}

function chooseAnswer(
  { method, url = '' }: IncomingMessage,
  health: ServiceHealth,
): { readonly status: number; readonly body: object } {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: { error: 'ask with GET' } };
  const [path] = url.split('?');
  if (path === '/healthz') return { status: health.live ? 200 : 503, body: health };
  if (path === '/readyz') return { status: health.ready ? 200 : 503, body: health };
  return { status: 404, body: { error: 'ask for /healthz or /readyz' } };
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'another process listens on it';
  if (code === 'EACCES') return 'this user may not open it';
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have that address';
  return messageOf(error);
}

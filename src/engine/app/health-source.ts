import { dirname, resolve } from 'node:path';
import type { HealthSource } from '../../tasks/health/health-source.ts';
import { parseBrokerUrl } from '../broker/broker-url.ts';
import type { Broker } from '../broker/port.ts';
import { askLiveWorkers } from '../control/ask-live-workers.ts';
import type { WorkerStats } from '../control/replies.ts';
import type { Clock } from '../core/clock.ts';
import { isRecord } from '../core/envelope.ts';

/** A key that nothing is ever written to: reading it is one round trip of the broker's cheapest kind. */
const NOTHING = 'health/ping';

/** How the check of health asks a broker and its workers. The broker is opened by the first question. */
export function createHealthSource(open: () => Promise<Broker>, clock: Clock): HealthSource {
  return {
    async ping() {
      const broker = await open();
      const from = clock.monotonic();
      await broker.state.read(NOTHING);
      const latencyMs = clock.monotonic() - from;
      return { url: broker.url, store: await broker.describe(), latencyMs, folder: folderOf(broker) };
    },
    async listQueues() {
      const broker = await open();
      const now = clock.now();
      return await Promise.all((await broker.listQueues()).map((name) => broker.queue(name).status(now)));
    },
    async listWorkers(timeoutMs) {
      const { control } = await open();
      const { answers, silent } = await askLiveWorkers(control, { command: 'stats', args: null }, { timeoutMs });
      const workers = [...answers].map(([name, answer]) => {
        if (!answer.ok) return { name, problems: [answer.error.message] };
        const health = isRecord(answer.value) ? (answer.value as unknown as WorkerStats).health : undefined;
        return { name, problems: health?.ready === false ? health.problems : [] };
      });
      return { workers, silent };
    },
  };
}

function folderOf({ kind, url }: Broker): string | null {
  if (kind !== 'sqlite') return null;
  const address = parseBrokerUrl(url);
  return address.kind === 'sqlite' && address.path !== ':memory:' ? dirname(resolve(address.path)) : null;
}

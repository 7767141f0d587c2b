import type { Logger } from 'pino';
import type { WorkerSettings } from '../engine/config/settings.ts';
import type { Health } from '../engine/worker/health/health.ts';

/** What a worker shows of itself outside of the broker: its health port and its pidfile, each if it was asked for. */
export interface WorkerPresence {
  announce(log: Logger): void;
  show(worker: { readonly health: Health }): void;
  close(): Promise<void>;
}

/**
 * Opens both before the worker is made: one that could not be asked, or stopped by its file, does not start.
 *
 * @throws PIDFILE_REFUSED, HEALTH_PORT_REFUSED
 */
export async function openPresence({ pidfile, healthPort, healthHost }: WorkerSettings): Promise<WorkerPresence> {
  const file = pidfile === undefined ? undefined : (await import('./pidfile.ts')).writePidfile(pidfile);
  const port =
    healthPort === undefined
      ? undefined
      : await import('./health-port.ts')
          .then(({ openHealthPort }) => openHealthPort(healthHost, healthPort))
          .catch((error) => {
            file?.remove();
            throw error;
          });
  return {
    announce(log) {
      if (port !== undefined) log.info({ host: port.host, port: port.port }, 'health port open');
    },
    show: (worker) => port?.show(worker),
    async close() {
      await port?.close();
      file?.remove();
    },
  };
}

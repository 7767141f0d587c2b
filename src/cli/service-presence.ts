import type { Logger } from 'pino';
import type { HealthyService } from './health-port.ts';

/** What a service shows of itself outside of the broker: its health port and its pidfile, each if it was asked for. */
export interface ServicePresence {
  announce(log: Logger): void;
  show(service: HealthyService): void;
  close(): Promise<void>;
}

export interface PresenceSettings {
  readonly pidfile: string | undefined;
  readonly healthPort: number | undefined;
  readonly healthHost: string | undefined;
}

/**
 * Opens both before the service is made: one that could not be asked, or stopped by its file, does not start.
 *
 * @param what the service is: `worker`
 * @throws PIDFILE_REFUSED, HEALTH_PORT_REFUSED
 */
export async function openPresence(
  what: string,
  { pidfile, healthPort, healthHost }: PresenceSettings,
): Promise<ServicePresence> {
  const file = pidfile === undefined ? undefined : (await import('./pidfile.ts')).writePidfile(pidfile);
  const port =
    healthPort === undefined
      ? undefined
      : await import('./health-port.ts')
          .then(({ openHealthPort }) => openHealthPort(healthHost, healthPort, what))
          .catch((error) => {
            file?.remove();
            throw error;
          });
  return {
    announce(log) {
      if (port !== undefined) log.info({ host: port.host, port: port.port }, 'health port open');
    },
    show: (service) => port?.show(service),
    async close() {
      await port?.close();
      file?.remove();
    },
  };
}

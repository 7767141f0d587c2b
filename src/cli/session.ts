import type { App } from '../engine/app/contract.ts';
import type { Broker } from '../engine/broker/port.ts';
import type { Settings } from '../engine/config/settings.ts';
import type { Clock } from '../engine/core/clock.ts';
import { createError } from '../engine/core/errors.ts';
import type { Session } from '../ops/session.ts';

export interface CliSession extends Session {
  /** Ends what was opened. Call once, when the command is done. */
  close(): Promise<void>;
}

type SessionSettings = Pick<Settings, 'app' | 'exportedApp' | 'broker'>;

/**
 * What the settings lead to, each made on first use, in this order:
 *
 * - `app`: the module of `--app`, else the app that the config file exports, else one with the built-in tasks only;
 * - `broker`: that of the settings without loading any app; without one, that of the app.
 *
 * A broker that the app has opened is shared.
 */
export function createSession(settings: SessionSettings, clock: Clock): CliSession {
  let app: Promise<App> | undefined;
  let broker: Promise<Broker> | undefined;

  const openApp = (): Promise<App> => {
    app ??= loadApp(settings);
    return app;
  };
  const open = async (skipSchema: boolean): Promise<Broker> => {
    if (!skipSchema && (app !== undefined || settings.broker === undefined)) return await (await openApp()).broker();
    const url = settings.broker ?? (await openApp()).brokerUrl;
    if (url === undefined) throw createError('BROKER_NOT_CONFIGURED', {});
    const { openBroker } = await import('../engine/broker/open-broker.ts');
    return await openBroker(url, { clock, skipSchema });
  };

  return {
    clock,
    app: openApp,
    broker({ skipSchema = false } = {}) {
      broker ??= open(skipSchema);
      return broker;
    },
    async close() {
      // What failed to open has told its caller already.
      const opened = await Promise.allSettled([app, broker]);
      await Promise.all(opened.map((each) => (each.status === 'fulfilled' ? each.value?.close() : undefined)));
    },
  };
}

async function loadApp({ app: file, exportedApp, broker }: SessionSettings): Promise<App> {
  const app = file === undefined ? (exportedApp ?? (await createDefaultApp())) : await importApp(file);
  if (broker !== undefined) (app as App).useBroker(broker);
  return app as App;
}

async function importApp(file: string): Promise<unknown> {
  const { loadAppModule } = await import('../engine/config/load-app.ts');
  // The path is absolute here: the settings know which folder it is relative to.
  return await loadAppModule(file, process.cwd());
}

async function createDefaultApp(): Promise<App> {
  const { createApp } = await import('../engine/app/create-app.ts');
  return createApp();
}

import { setTimeout as wait } from 'node:timers/promises';
import type { App } from '../engine/app/contract.ts';
import type { Broker } from '../engine/broker/port.ts';
import type { ResultStore } from '../engine/broker/result-store/result-port.ts';
import type { Settings } from '../engine/config/settings.ts';
import type { Clock } from '../engine/core/clock.ts';
import { createError } from '../engine/core/errors.ts';
import type { Session } from '../ops/session.ts';

export interface CliSession extends Session {
  /** Ends what was opened. Call once, when the command is done. */
  close(): Promise<void>;
}

type SessionSettings = Pick<Settings, 'app' | 'exportedApp' | 'broker' | 'defaultBroker'> &
  Partial<Pick<Settings, 'results' | 'undo'>>;

export interface SessionOptions {
  /** A SQLite file that is not there is not made: nothing will be added to it. */
  readonly onlyExisting?: boolean;
  /** With `onlyExisting`: a file that is not there is waited for, by who listens to what will happen in it. */
  readonly waitForFile?: boolean;
  /** Is told, once each, what a person may not expect of the broker that was found. */
  readonly note?: (text: string) => void;
}

/**
 * What the settings lead to, each made on first use, in this order:
 *
 * - `app`: the module of `--app`, else the app that the config file exports, else one with the built-in tasks only;
 * - `broker`: that of the settings without loading any app; without one, that of the app; without that, the default.
 *
 * A broker that the app has opened is shared, unless only existing files may be opened: apps make the file that they open.
 */
export function createSession(
  settings: SessionSettings,
  clock: Clock,
  { onlyExisting = false, waitForFile = false, note }: SessionOptions = {},
): CliSession {
  let app: Promise<App> | undefined;
  let broker: Promise<Broker> | undefined;
  let results: Promise<ResultStore | undefined> | undefined;
  let isDefaultNoted = false;
  const closing = new AbortController();

  const useDefault = (): string => {
    if (!isDefaultNoted) note?.(`no broker is named; using ${settings.defaultBroker}`);
    isDefaultNoted = true;
    return settings.defaultBroker;
  };
  const openApp = (): Promise<App> => {
    app ??= loadApp(settings, useDefault);
    return app;
  };
  // An app with the built-in tasks only names no broker, so it need not be loaded to be asked.
  const isAppNamed = settings.app !== undefined || settings.exportedApp !== undefined;
  const chooseUrl = async (): Promise<string> => {
    if (settings.broker !== undefined) return settings.broker;
    return (isAppNamed ? (await openApp()).brokerUrl : undefined) ?? useDefault();
  };
  const open = async (skipSchema: boolean): Promise<Broker> => {
    const isShared = !skipSchema && !onlyExisting && (app !== undefined || settings.broker === undefined);
    if (isShared) return await (await openApp()).broker();
    const [url, { findMissingFile, openBroker }] = await Promise.all([
      chooseUrl(),
      import('../engine/broker/open-broker.ts'),
    ]);
    // Without a look at the schema nothing is opened yet, so nothing is made.
    const findMissing = (): string | undefined => (onlyExisting && !skipSchema ? findMissingFile(url) : undefined);
    let missing = findMissing();
    if (missing !== undefined) {
      note?.(`there is no ${missing} yet; the first call or worker makes it${waitForFile ? ': waiting for it' : ''}`);
    }
    while (waitForFile && missing !== undefined) {
      await wait(LOOK_FOR_FILE_MS, undefined, { signal: closing.signal });
      missing = findMissing();
    }
    return await openBroker(url, { clock, skipSchema, onlyExisting: missing !== undefined });
  };

  const openResults = async (skipSchema: boolean): Promise<ResultStore | undefined> => {
    const url = settings.results ?? (isAppNamed ? (await openApp()).resultsUrl : undefined);
    if (url === undefined) return undefined;
    const { openResultStore } = await import('../engine/broker/result-store/open-result-store.ts');
    return await openResultStore(url, { clock, skipSchema, onlyExisting: onlyExisting && !skipSchema });
  };

  return {
    clock,
    isAppNamed,
    ...(settings.undo !== undefined && { undoDir: settings.undo.dir }),
    app: openApp,
    broker({ skipSchema = false } = {}) {
      broker ??= open(skipSchema);
      return broker;
    },
    results({ skipSchema = false } = {}) {
      results ??= openResults(skipSchema);
      return results;
    },
    async close() {
      closing.abort();
      // What failed to open has told its caller already.
      const opened = await Promise.allSettled([app, broker, results]);
      await Promise.all(opened.map((each) => (each.status === 'fulfilled' ? each.value?.close() : undefined)));
    },
  };
}

const LOOK_FOR_FILE_MS = 100;

async function loadApp(
  { app: file, exportedApp, broker, results }: SessionSettings,
  useDefault: () => string,
): Promise<App> {
  const app = (file === undefined ? (exportedApp ?? (await createDefaultApp())) : await importApp(file)) as App;
  if (results !== undefined && results !== app.resultsUrl) app.useResults(results);
  const url = broker ?? (app.brokerUrl === undefined ? useDefault() : undefined);
  if (url === undefined || url === app.brokerUrl) return app;
  try {
    app.useBroker(url);
  } catch (error) {
    throw createError(
      'USAGE',
      {
        message: `${file ?? 'tq.config'} uses its broker while it is imported, before tq could name that broker`,
        next: 'let the module only create the app and its tasks; make workers and send jobs in a file of its own',
      },
      error,
    );
  }
  return app;
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

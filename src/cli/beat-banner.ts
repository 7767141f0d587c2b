import type { Logger } from 'pino';
import type { App } from '../engine/app/contract.ts';
import type { Beat } from '../engine/beat/beat.ts';
import { escapeControl } from '../engine/core/escape.ts';
import { readVersion } from '../engine/runtime/version.ts';
import type { CommandContext } from './command.ts';

/** What a banner names at most. */
const NAMED = 20;

/** Says what was started: for people on a terminal as a few lines, elsewhere as one line of the log. */
export async function showBeatBanner(
  beat: Beat,
  { app, context, log }: { app: App; context: CommandContext; log: Logger },
): Promise<void> {
  const { settings, host } = context;
  const broker = await app.broker();
  const facts = {
    version: readVersion(),
    beat: beat.name,
    pid: process.pid,
    broker: broker.url,
    store: await broker.describe(),
    entries: app.declaredEntries.length,
  };
  if (settings.json || settings.quiet || settings.beat.logfile !== undefined || host.streams.stdout.isTTY !== true) {
    log.info(facts, 'beat starting');
    return;
  }
  const rows: [string, string][] = [
    ['broker', `${facts.broker} (${facts.store})`],
    ['entries', describeEntries(app)],
  ];
  const lines = [`tq ${facts.version} · beat ${facts.beat} · pid ${facts.pid}`];
  for (const [title, value] of rows) lines.push(`  ${title.padEnd(8)} ${escapeControl(value)}`);
  host.streams.stdout.write(`${lines.join('\n')}\n`);
}

/** The entries that an app declares, for a banner. */
export function describeEntries({ declaredEntries }: Pick<App, 'declaredEntries'>): string {
  if (declaredEntries.length === 0) return 'the app declares none; those of the broker are kept';
  const names = declaredEntries.slice(0, NAMED).map(({ name }) => name);
  const more = declaredEntries.length > NAMED ? ` and ${declaredEntries.length - NAMED} more` : '';
  return `${names.join(', ')}${more}`;
}

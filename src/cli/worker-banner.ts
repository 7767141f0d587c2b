import type { Logger } from 'pino';
import type { App } from '../engine/app/contract.ts';
import { escapeControl } from '../engine/core/escape.ts';
import { readVersion } from '../engine/runtime/version.ts';
import type { Worker } from '../engine/worker/worker.ts';
import { describeEntries } from './beat-banner.ts';
import type { CommandContext } from './command.ts';

/**
 * Says what was started, before the first job: for people on a terminal as a few lines, elsewhere as one line of the log.
 */
export async function showBanner(
  worker: Worker,
  { app, context, log }: { app: App; context: CommandContext; log: Logger },
): Promise<void> {
  const { settings, host } = context;
  const broker = await app.broker();
  const results = await app.resultStore();
  const facts = {
    version: readVersion(),
    worker: worker.name,
    pid: process.pid,
    broker: broker.url,
    store: await broker.describe(),
    ...(results !== undefined && { results: results.url, result_store: await results.describe() }),
    pool: worker.pool,
    concurrency: worker.concurrency,
    ...(worker.autoscale !== undefined && { autoscale: worker.autoscale }),
    queues: worker.queues,
    queue_order: settings.worker.queueOrder,
    ...(settings.worker.beat && { beat: true, entries: app.declaredEntries.length }),
    tasks: [...app.tasks.keys()].sort(),
  };
  if (settings.json || settings.quiet || settings.worker.logfile !== undefined || host.streams.stdout.isTTY !== true) {
    log.info({ ...facts, notes: app.notes }, 'worker starting');
    return;
  }
  const order = facts.queues.length > 1 ? ` (${facts.queue_order})` : '';
  const rows: [string, string][] = [
    ['broker', `${facts.broker} (${facts.store})`],
    ...(results === undefined ? [] : [['results', `${facts.results} (${facts.result_store})`] as [string, string]]),
    ['pool', describePool(worker)],
    ['queues', facts.queues.join(', ') + order],
    ['tasks', facts.tasks.join(', ')],
    ...(settings.worker.beat ? [['beat', `in this process: ${describeEntries(app)}`] as [string, string]] : []),
    ...app.notes.map((note): [string, string] => splitNote(note)),
  ];
  const lines = [`tq ${facts.version} · worker ${facts.worker} · pid ${facts.pid}`];
  for (const [title, value] of rows) lines.push(`  ${title.padEnd(8)} ${escapeControl(value)}`);
  host.streams.stdout.write(`${lines.join('\n')}\n`);
}

function describePool({ pool, concurrency, autoscale }: Worker): string {
  if (autoscale !== undefined) {
    return `${pool}, ${autoscale.min} to ${autoscale.max} ${pool === 'prefork' ? 'child processes' : 'slots'}, by need`;
  }
  const places = pool === 'prefork' ? ['child process', 'child processes'] : ['slot', 'slots'];
  return `${pool}, ${concurrency} ${places[concurrency === 1 ? 0 : 1]}`;
}

/** `e-mail: written to .tq/outbox` is a title and its value. */
function splitNote(note: string): [string, string] {
  const colon = note.indexOf(': ');
  return colon < 0 ? ['note', note] : [note.slice(0, colon), note.slice(colon + 2)];
}

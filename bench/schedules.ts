/**
 * Very many schedule entries: `node bench/schedules.ts [entries] [redis|postgres|sqlite]`. By default 10,000 that an app declares, on five queues:
 * the first reconciliation, which stores and arms them all, the same again without a change, and the first page of the list.
 */
import { openBroker } from '../src/engine/broker/open-broker.ts';
import { systemClock } from '../src/engine/runtime/system-clock.ts';
import { type EntryFacts, parseEntry } from '../src/engine/schedule/entry-options.ts';
import { Schedules } from '../src/engine/schedule/schedules.ts';
import { type BenchedBroker, measureEach } from './each-broker.ts';

const ENTRIES = Number(process.argv[2] ?? 10_000);
const ONLY = process.argv[3];
const QUEUES = 5;
const PAGE = 50;

const facts: EntryFacts = {
  resolve: () => ({ queue: 'default', definition: undefined }),
  assertQueue: () => undefined,
  payloadLimit: 1024 * 1024,
  longestResultMs: () => 86_400_000,
};

const declared = Array.from({ length: ENTRIES }, (_, index) => {
  const name = `reports/customer-${String(index).padStart(6, '0')}`;
  const cron = `${index % 60} ${index % 24} * * *`;
  const options = { task: 'report.build', args: [{ customer: index }], queue: `q${index % QUEUES}` };
  const timezone = index % 2 === 0 ? 'UTC' : 'Europe/Berlin';
  return { name, enabled: true, definition: parseEntry(name, { ...options, cron, timezone }, facts) };
});

await measureEach(ONLY, measure);

async function measure({ name, url }: BenchedBroker): Promise<void> {
  const broker = await openBroker(url, { clock: systemClock });
  const schedules = new Schedules({ broker, clock: systemClock });
  const timed = async <Result>(what: string, run: () => Promise<Result>): Promise<Result> => {
    const startedAt = performance.now();
    const result = await run();
    process.stdout.write(`${`${name}, ${what}`.padEnd(56)}${(performance.now() - startedAt).toFixed(0)} ms\n`);
    return result;
  };
  const { added } = await timed(`${ENTRIES} entries, first reconciliation`, () => schedules.reconcile(declared));
  if (added.length !== ENTRIES) throw new Error(`${added.length} of ${ENTRIES} entries were added`);
  const { unchanged } = await timed('the same again, unchanged', () => schedules.reconcile(declared));
  if (unchanged !== ENTRIES) throw new Error(`${unchanged} of ${ENTRIES} entries were unchanged`);
  for (const time of ['first', 'second']) {
    const { schedules: page } = await timed(`page of ${PAGE}, ${time} time`, () => schedules.list({ limit: PAGE }));
    if (page.length !== Math.min(PAGE, ENTRIES)) throw new Error(`a page of ${page.length}`);
  }
  await broker.close();
}

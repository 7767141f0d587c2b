import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../src/engine/app/contract.ts';
import { createApp } from '../../src/engine/app/create-app.ts';
import { createLogger } from '../../src/engine/runtime/logger.ts';
import { createStore } from '../engine/broker/workshop.ts';
import { brokersUnderTest } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { createFolderOfRun } from '../support/run-folder.ts';
import { runTq, type TqResult } from '../support/tq-command.ts';
import { waitFor } from '../support/wait-for.ts';

/** docs/night-shift.md tells the story; this is it, on every broker. */
/** `npm run test:night-shift` runs it with 40,000 failures; beside all other tests there are a tenth of them. */
const FAILURES = Number(process.env['TQ_NIGHT_SHIFT'] ?? 4000);
const TIMEOUTS = (FAILURES * 5) / 8;
const NO_LOCALE = FAILURES / 4;
const BAD_ADDRESSES = FAILURES / 8;
const FINE = 100;
const DEAD = TIMEOUTS + NO_LOCALE + BAD_ADDRESSES;

interface Mail {
  readonly to: string;
  readonly locale?: string;
}

class BadAddress extends Error {
  override name = 'BadAddress';
}

/** The provider is down until somebody mends it. */
const provider = { isDown: true };

async function sendMail({ to, locale }: Mail): Promise<string> {
  if (to.startsWith('bad-')) throw new BadAddress(`"${to}" is no address`);
  if (locale === undefined) throw new TypeError("Cannot read properties of undefined (reading 'toLowerCase')");
  if (provider.isDown) throw new Error(`no answer from smtp-${to.length} after ${1000 + to.length} ms`);
  return to;
}

function listMails(): Mail[] {
  const number = (count: number) => Array.from({ length: count }, (_, index) => index);
  return [
    ...number(TIMEOUTS).map((index) => ({ to: `ada-${index}@example.com`, locale: 'en' })),
    ...number(NO_LOCALE).map((index) => ({ to: `bob-${index}@example.com` })),
    ...number(BAD_ADDRESSES).map((index) => ({ to: `bad-${index}`, locale: 'en' })),
  ];
}

// It may take longer than a test.
beforeAll(ensureBuilt);

const closings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
});

interface Group {
  readonly fingerprint: string;
  readonly error: string;
  readonly count: number;
}

describe.each(brokersUnderTest())('on $name', (underTest) => {
  test('failures of three kinds are grouped, tried, patched, sent back, purged and undone', {
    timeout: 300_000,
  }, async () => {
    const url = await createStore(underTest);
    const cwd = createFolderOfRun('night-shift');
    const env = { TQ_UNDO_DIR: createFolderOfRun('undo'), TQ_BROKER_URL: url };
    const tq = (...argv: string[]): Promise<TqResult> => runTq([...argv, '--json'], { cwd, env, timeoutMs: 120_000 });
    const counts = async (): Promise<{ waiting: number; dead: number; completed: number }> => {
      const queues = (await tq('inspect', 'queues')).json() as {
        queue: string;
        waiting: number;
        dead: number;
        completed: number;
      }[];
      const { waiting, dead, completed } = queues.find(({ queue }) => queue === 'mail') ?? {
        waiting: -1,
        dead: -1,
        completed: -1,
      };
      return { waiting, dead, completed };
    };
    const settled = (dead: number) =>
      waitFor(
        `${dead} dead letters and nothing else to do`,
        async () => {
          const found = await (await app.broker()).queue('mail').counts();
          return found.dead === dead && found.waiting === 0 && found.active === 0;
        },
        { timeoutMs: 120_000 },
      );

    // The evening: a worker, and mails that fail in three ways.
    provider.isDown = true;
    const app: App = createApp({ broker: url, builtins: false, queues: ['mail'] }, { env: {} });
    closings.push(() => app.close());
    const send = app.task('mail.send', { retry: false }, sendMail);
    const { log: logger } = createLogger({ level: 'silent', destination: 2 });
    const worker = await app.createWorker({ concurrency: 200, logger, remoteControl: false });
    closings.push(() => worker.stop());
    await worker.start();
    await send.bulk(listMails().map((mail) => [mail]));
    await settled(DEAD);
    provider.isDown = false;
    await send.bulk(Array.from({ length: FINE }, (_, index) => [{ to: `eve-${index}@example.com`, locale: 'de' }]));
    await settled(DEAD);
    provider.isDown = true;
    expect(await counts()).toEqual({ waiting: 0, dead: DEAD, completed: FINE });

    // What is it? Three kinds.
    const groups = (await tq('dlq', 'stats')).json() as Group[];
    expect(groups).toMatchObject([
      { count: TIMEOUTS, error: expect.stringContaining('no answer from'), task: 'mail.send', queue: 'mail' },
      { count: NO_LOCALE, error: expect.stringContaining('TypeError') },
      { count: BAD_ADDRESSES, error: expect.stringContaining('BadAddress') },
    ]);
    const [timeouts, noLocale, badAddresses] = groups.map(({ fingerprint }) => fingerprint) as [string, string, string];
    const reprocess = (...argv: string[]) => tq('dlq', 'reprocess', ...argv, '--yes');

    // A canary while the provider still is down: it stops, and says so. Its ten are dead letters again.
    const early = await reprocess('--fingerprint', timeouts, '--first', '10', '--stop-if-failing', '5%');
    expect(early.exitCode).toBe(1);
    expect(early.json()).toMatchObject({
      ...{ matched: 10, reprocessed: 10, stopped: expect.stringContaining('5 %') },
      outcomes: { succeeded: 0, failed: 10, pending: 0 },
    });
    expect(await counts()).toEqual({ waiting: 0, dead: DEAD, completed: FINE });

    // The provider is back: the canary lives, the rest follows at a rate.
    provider.isDown = false;
    const canary = await reprocess('--fingerprint', timeouts, '--first', '10', '--stop-if-failing', '5%');
    expect(canary.json()).toMatchObject({ reprocessed: 10, stopped: null, outcomes: { succeeded: 10, failed: 0 } });
    expect(await counts()).toEqual({ waiting: 0, dead: DEAD - 10, completed: FINE + 10 });
    const rest = await reprocess('--fingerprint', timeouts, '--rate', `${FAILURES / 4}/s`, '--stop-if-failing', '5%');
    expect(rest.json()).toMatchObject({
      matched: TIMEOUTS - 10,
      reprocessed: TIMEOUTS - 10,
      failed: [],
      stopped: null,
    });
    await settled(NO_LOCALE + BAD_ADDRESSES);
    expect(await counts()).toEqual({ waiting: 0, dead: NO_LOCALE + BAD_ADDRESSES, completed: FINE + TIMEOUTS });

    // The second kind lacks a field. The patch is looked at first.
    const patch = ['--fingerprint', noLocale, '--patch', '{"locale":"en"}'];
    expect((await reprocess(...patch, '--dry-run')).json()).toMatchObject({
      count: NO_LOCALE,
      rows: expect.arrayContaining([
        { id: expect.any(String), path: 'args.0.locale', before: null, after: '"en"', problem: null },
      ]),
    });
    expect((await reprocess(...patch, '--first', '10', '--stop-if-failing', '5%')).json()).toMatchObject({
      outcomes: { succeeded: 10, failed: 0 },
    });
    expect((await reprocess(...patch)).json()).toMatchObject({
      reprocessed: NO_LOCALE - 10,
      failed: [],
      stopped: null,
    });
    await settled(BAD_ADDRESSES);
    expect(await counts()).toEqual({ waiting: 0, dead: BAD_ADDRESSES, completed: FINE + TIMEOUTS + NO_LOCALE });

    // The third kind is purged, which was a mistake.
    const [sample] = (await tq('dlq', 'list', '--fingerprint', badAddresses, '--limit', '1')).json() as {
      id: string;
    }[];
    const before = (await tq('jobs', 'show', sample?.id ?? '')).json();
    const purged = (await tq('dlq', 'purge', '--fingerprint', badAddresses, '--yes')).json() as { undo: string };
    expect(purged).toMatchObject({ matched: BAD_ADDRESSES, changed: BAD_ADDRESSES, failed: [], stopped: null });
    expect(await counts()).toMatchObject({ dead: 0 });
    const undone = await tq('undo', purged.undo, '--yes');
    expect(undone.json()).toMatchObject({ matched: BAD_ADDRESSES, restored: BAD_ADDRESSES, failed: [] });
    expect(await counts()).toEqual({ waiting: 0, dead: BAD_ADDRESSES, completed: FINE + TIMEOUTS + NO_LOCALE });
    expect((await tq('jobs', 'show', sample?.id ?? '')).json()).toEqual(before);
    expect((await tq('dlq', 'stats')).json()).toMatchObject([{ fingerprint: badAddresses, count: BAD_ADDRESSES }]);

    // In the morning somebody asks who did what.
    const audit = (await tq('audit')).json() as { operation: string }[];
    expect(audit.map(({ operation }) => operation).toReversed()).toEqual([
      ...Array.from({ length: 5 }, () => 'reprocess-dead-letters'),
      ...['purge-dead-letters', 'undo-operation'],
    ]);
  });
});

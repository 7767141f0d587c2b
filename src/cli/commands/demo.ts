import { once } from 'node:events';
import { MAX_TIMER_MS } from '../../engine/core/duration.ts';
import { createError } from '../../engine/core/errors.ts';
import { type CommandContext, defineService, type Values } from '../command.ts';
import type { Shop } from '../demo/shop.ts';
import { presentEvent, STORY_FIELDS, type Tell } from '../demo/story.ts';
import { readDuration } from '../option-values.ts';

interface Input {
  readonly forMs: number | undefined;
}

/** Its story is its output: told to stdout, and what to type next to stderr. */
export const demo = defineService({
  name: 'demo',
  summary: 'Watch a worker and a beat at work, on a throw-away broker',
  details: [
    'Runs a worker and a beat with three schedule entries on a SQLite file in a temporary folder, calls tasks, tells what happens,',
    'and says what to type in a second terminal. On a terminal it goes on until Ctrl-C; elsewhere it ends when everything was',
    'shown once, after about 15 seconds. Nothing stays behind, and no other broker is touched.',
  ].join('\n'),
  options: [{ flags: '--for <duration>', summary: 'end after this long' }],
  examples: [
    { command: 'tq demo', does: 'look until Ctrl-C' },
    { command: 'tq demo --for 20s', does: 'look for 20 seconds' },
    { command: 'tq demo --json', does: 'the story as one JSON object a line' },
  ],
  json: [...STORY_FIELDS],
  toInput: ({ options }: Values<{ for?: string }>): Input => ({ forMs: readDuration(options.for, '--for') }),
  serve: showDemo,
});

async function showDemo({ forMs }: Input, context: CommandContext): Promise<number> {
  const { host, output, settings } = context;
  if (settings.origins.get('broker')?.source === 'flag') {
    throw createError('USAGE', {
      message: 'demo was given --broker, and runs only on a broker of its own that it throws away',
      next: 'leave --broker out; `tq worker --broker URL` and `tq call TASK --broker URL` work on yours',
    });
  }
  const [{ createThrowAwayBroker }, { createShop }] = await Promise.all([
    import('../demo/throw-away-broker.ts'),
    import('../demo/shop.ts'),
  ]);
  const broker = await createThrowAwayBroker();
  const startedAt = host.clock.now();
  const tell: Tell = (event) => {
    const at = host.clock.now();
    output.stream(presentEvent(event, at, at - startedAt));
  };
  try {
    const shop = createShop(broker.url, { clock: host.clock, tell });
    try {
      await runShop(shop, { forMs, tell, url: broker.url, context });
    } finally {
      await shop.app.close();
    }
  } finally {
    broker.remove();
  }
  tell({ event: 'stopped', message: 'Worker and beat have stopped, and their broker is removed.' });

  for (const text of NEXT) output.note(text);
  return 0;
}

interface Show {
  readonly forMs: number | undefined;
  readonly tell: Tell;
  readonly url: string;
  readonly context: CommandContext;
}

async function runShop(shop: Shop, { forMs, tell, url, context }: Show): Promise<void> {
  const { host, output } = context;
  const [{ createLogger }, { onStopSignals }, { playScenes }] = await Promise.all([
    import('../../engine/runtime/logger.ts'),
    import('../../engine/runtime/stop-signals.ts'),
    import('../demo/traffic.ts'),
  ]);
  const { log } = createLogger({ level: 'silent', destination: 2 });
  const worker = await shop.app.createWorker({ pool: 'async', concurrency: 1, name: 'demo@%h', logger: log });
  const beat = await shop.app.createBeat({ name: 'demo@%h', logger: log });
  const over = new AbortController();
  const stop = (): void => over.abort();
  const stopListening = onStopSignals({ warm: stop, cold: stop, signals: ['SIGTERM', 'SIGINT', 'SIGHUP'] });
  const timer = forMs === undefined ? undefined : setTimeout(stop, Math.min(forMs, MAX_TIMER_MS));
  try {
    await worker.start();
    await beat.start();
    const store = await (await shop.app.broker()).describe();
    tell({
      event: 'started',
      message: `A worker with one slot and a beat on a throw-away broker, ${store}.`,
      broker: url,
    });
    for (const text of formatHints(url)) output.note(text);
    const rounds = forMs === undefined && host.streams.stdout.isTTY !== true ? 1 : Number.POSITIVE_INFINITY;
    await Promise.race([playScenes(shop, { tell, signal: over.signal, rounds }), aborted(over.signal)]);
  } finally {
    stop();
    clearTimeout(timer);
    await Promise.all([beat.stop(), worker.stop(STOP_WITHIN_MS)]);
    stopListening();
  }
}

/** More than the longest task of the shop takes. */
const STOP_WITHIN_MS = 1000;

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function formatHints(url: string): string[] {
  const commands = [
    ...['inspect queues', 'inspect scheduled', 'schedule list', 'health', 'doctor'],
    ...['jobs show payment-1', 'result invoice-1'],
  ];
  return [
    '',
    'Look from a second terminal while it runs; Ctrl-C ends it.',
    ...commands.map((command) => `  tq ${command} --broker ${/\s/.test(url) ? `'${url}'` : url}`),
  ];
}

const NEXT = [
  '',
  'Now with a task that does something. Two terminals, one folder, no server:',
  '  tq worker',
  `  tq call email.send --input '{"to":"ada@example.com","subject":"Hi","text":"Hello"}' --wait`,
];

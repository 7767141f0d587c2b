import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { context, createApp } from 'taskq';
import { z } from 'zod';
import { openSubscribers, type Subscribers } from './subscribers.ts';

/** Everything that the example writes lies here. */
export const folder = process.env['NEWSLETTER_FOLDER'] ?? join(import.meta.dirname, '.tq');

let subscribers: Subscribers | undefined;

export const app = createApp({
  queues: ['high', 'default', 'low'],
  routes: { 'email.*': 'high', 'image.*': 'low' },
  builtins: {
    email: { from: 'Harbour News <news@example.com>', outbox: join(folder, 'outbox') },
    images: { root: folder },
    files: { root: join(folder, 'outbox') },
  },
  hooks: {
    async workerStart() {
      await mkdir(join(folder, 'uploads'), { recursive: true });
    },
    // In every process that runs tasks: what they use is opened where they run.
    async processStart() {
      subscribers = await openSubscribers(join(folder, 'subscribers.jsonl'));
    },
    async processStop() {
      await subscribers?.close();
    },
  },
});

/** Adds a subscriber, then has two built-in tasks welcome them and make small copies of their portrait. */
export const subscribe = app.task(
  'newsletter.subscribe',
  {
    input: z.object({ email: z.email(), name: z.string().min(1), portrait: z.string().optional() }),
    // The portrait may still be on its way: look again after 2, 4, 8, 16 and 32 seconds.
    retry: { max: 5, delay: '2s', backoff: 'exponential', jitter: false },
    description: 'Adds a subscriber, welcomes them and makes small copies of their portrait.',
  },
  async ({ email, name, portrait }) => {
    const job = context();
    const steps = portrait === undefined ? 2 : 3;
    const isNew = await subscribers?.add({ email, name });
    await job.progress({ done: 1, total: steps });

    // An attempt may run twice. With an id made of this job's, the second call of a follow-up does nothing.
    const letter = { to: email, name, product: 'Harbour News', url: 'https://example.com/issues' };
    const welcome = await app.send('email.welcome', [letter], { id: `welcome-${job.id}` });
    await job.progress({ done: 2, total: steps });
    if (portrait === undefined) return { isNew, welcome: welcome.id, thumbnails: null };

    if (!existsSync(join(folder, portrait))) throw new Error(`${portrait} has not arrived yet`);
    const picture = { source: portrait, output: 'thumbnails', sizes: [320, 160, 80] };
    const thumbnails = await app.send('image.thumbnail', [picture], { id: `portrait-${job.id}` });
    await job.progress({ done: 3, total: steps });
    job.log.info({ isNew }, 'subscriber added');
    return { isNew, welcome: welcome.id, thumbnails: thumbnails.id };
  },
);

/** Upkeep, at the same times in every environment: `tq beat` or `tq worker --beat` has it done. */
app.schedule({
  'upkeep/old-letters': {
    task: 'file.cleanup',
    args: [{ olderThan: '30d' }],
    cron: '0 2 * * *',
    queue: 'low',
    description: 'Removes letters that were written to the outbox a month ago.',
  },
  'upkeep/health': {
    task: 'health.check',
    every: '1h',
    queue: 'high',
    expires: '30m',
    description: 'Looks at broker, queues, workers, disk and memory; the log of the worker warns of what is not well.',
  },
});

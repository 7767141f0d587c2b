import { setTimeout as sleep } from 'node:timers/promises';
import type { AsyncResult } from '../../engine/results/async-result.ts';
import type { Shop } from './shop.ts';
import type { Tell } from './story.ts';

interface Scene {
  readonly title: string;
  /** Ends when its jobs have, so that one scene is read after the other. */
  play(shop: Shop, round: number): Promise<void>;
}

const scenes: readonly Scene[] = [
  {
    title: 'A call is stored in the broker, and the worker runs it.',
    async play(shop) {
      await ended(await shop.call('order'));
    },
  },
  {
    title: 'What fails is retried, and each wait is twice as long as the one before.',
    async play(shop) {
      await ended(await shop.call('payment'));
    },
  },
  {
    title: 'When its retries are spent it is a dead letter: kept until a person looks.',
    async play(shop) {
      await ended(await shop.call('invoice'));
    },
  },
  {
    title: 'A job can wait for its time.',
    async play(shop, round) {
      // One that stays, for `tq inspect scheduled`.
      if (round === 1) await shop.call('reminder', { countdownMs: 3_600_000 });
      await ended(await shop.call('reminder', { countdownMs: 2000 }));
    },
  },
  {
    title: 'Priority 9 goes before 1, whoever came first.',
    async play(shop) {
      const photos = [1, 2, 3].map(() => shop.call('photo', { priority: 1 }));
      const jobs = [...(await Promise.all(photos)), await shop.call('order', { priority: 9 })];
      await Promise.all(jobs.map(ended));
    },
  },
];

/** Between two scenes, so that a person can follow. */
const PAUSE_MS = 800;

/**
 * Plays all scenes, with their titles the first time, and again until `signal` aborts.
 *
 * @param options.rounds how often they are played at most
 */
export async function playScenes(
  shop: Shop,
  { tell, signal, rounds }: { tell: Tell; signal: AbortSignal; rounds: number },
): Promise<void> {
  try {
    for (let round = 1; round <= rounds; round += 1) {
      if (round === 2) tell({ event: 'scene', message: 'That was all of it, once. It goes on in the same way.' });
      for (const { title, play } of scenes) {
        if (round === 1) tell({ event: 'scene', message: title });
        await play(shop, round);
        await sleep(PAUSE_MS, undefined, { signal });
      }
    }
  } catch (error) {
    // The app is closed under the scene that is played.
    if (!signal.aborted) throw error;
  }
}

/** However it ended: the hooks of the shop tell how. */
async function ended(result: AsyncResult<unknown>): Promise<void> {
  await result.get().catch(() => undefined);
}

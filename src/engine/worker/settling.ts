import { MAX_TIMER_MS } from '../core/duration.ts';

/** False when the time passed, or `hurry` aborted, before the consumer had settled. Leaves no timer behind. */
export async function within(settled: Promise<true>, timeoutMs: number, hurry?: AbortSignal): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const giveUp = (): void => resolve(false);
  const timer = setTimeout(giveUp, Math.min(timeoutMs, MAX_TIMER_MS));
  if (hurry?.aborted) giveUp();
  hurry?.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([settled, tooLate]);
  } finally {
    clearTimeout(timer);
    hurry?.removeEventListener('abort', giveUp);
  }
}

import { expect, test } from 'vitest';
import type { ChainKeeping } from '../../../src/engine/beat/chain-keeping.ts';
import { EntryBook } from '../../../src/engine/beat/entry-book.ts';
import { FullLook } from '../../../src/engine/beat/full-look.ts';
import { defined, stored } from './setup.ts';
import { SimulatedTime } from './simulated-time.ts';

test.each([
  { tookMs: 0, pauseMs: 30_000 },
  { tookMs: 2000, pauseMs: 200_000 },
  { tookMs: 60_000, pauseMs: 600_000 },
])(
  'after a look at all entries that took $tookMs ms the next one begins $pauseMs ms later',
  async ({ tookMs, pauseMs }) => {
    const time = new SimulatedTime(0);
    const looks: number[] = [];
    let slowMs = 0;
    const clock = { now: () => time.clock.now(), monotonic: () => time.clock.monotonic() + slowMs };
    const keep = async (): Promise<void> => {
      looks.push(time.clock.monotonic());
      slowMs += tookMs;
    };
    const book = new EntryBook();
    book.take([{ ...stored('nightly', defined({ every: '1d' }), 0), version: '1' }], new Set(), 0);
    const look = new FullLook({
      book,
      chains: { keep } as unknown as ChainKeeping,
      clock,
      lookMs: 30_000,
      retryMs: 1000,
      setTimer: time.createOwner().setTimer,
      leads: () => true,
      onLooked: () => {},
      onTrouble: () => {},
    });
    await look.start();
    await time.runFor(pauseMs);
    expect(looks).toEqual([0, pauseMs]);
    await look.stop();
  },
);

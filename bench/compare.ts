import type { Contender } from './contenders.ts';

export interface Measure {
  readonly name: string;
  readonly target: number;
  /** Gives jobs per second. */
  readonly run: (contender: Contender, queue: string) => Promise<number>;
}

/**
 * Runs a measure with both sides in turn and prints the median of the rounds' ratios: the machine may be busy with other
 * things, and both sides of a round meet the same.
 */
export async function compare(measure: Measure, base: Contender, contender: Contender, rounds: number): Promise<void> {
  const kept: { base: number; contender: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const figures = { base: 0, contender: 0 };
    // The order changes every round: whoever runs second finds a warmer server.
    const order = round % 2 === 0 ? (['base', 'contender'] as const) : (['contender', 'base'] as const);
    for (const side of order) {
      const one = side === 'base' ? base : contender;
      figures[side] = await measure.run(one, `bench-${crypto.randomUUID()}`);
    }
    // The first round warms both up.
    if (round > 0) kept.push(figures);
  }
  const ratio = median(kept.map((figures) => figures.contender / figures.base));
  const line = [
    measure.name.padEnd(26),
    `${base.name} ${Math.round(median(kept.map((figures) => figures.base)))}/s`.padEnd(18),
    `${contender.name} ${Math.round(median(kept.map((figures) => figures.contender)))}/s`.padEnd(28),
    `ratio ${ratio.toFixed(2)} (target ${measure.target})`,
  ];
  process.stdout.write(`${line.join('')}\n`);
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/**
 * Changes the number of slots of a worker by need: looks once a second, and asks the store only while no slot is free.
 * What it decides is decided in decision.ts.
 */
import type { Clock } from '../../core/clock.ts';
import { type AutoscaleBounds, areAllNeeded, decideSlots } from './decision.ts';

export interface AutoscalerOptions {
  readonly bounds: AutoscaleBounds;
  readonly clock: Clock;
  /** What the worker has now. */
  readonly readSlots: () => { readonly slots: number; readonly busy: number };
  /** Jobs that wait in its queues and could be taken. */
  readonly countWaiting: () => Promise<number>;
  readonly resize: (slots: number) => void;
  /** The store could not be asked; the next look tries again. */
  readonly onTrouble: (error: unknown) => void;
  /** Calls a function again and again, and gives one that ends it. Default a timer of Node. */
  readonly repeat?: (look: () => Promise<void>, everyMs: number) => () => void;
}

const LOOK_EVERY_MS = 1000;

export class Autoscaler {
  readonly #options: AutoscalerOptions;
  #bounds: AutoscaleBounds;
  #neededAt: number;
  #looking = false;
  #end: (() => void) | undefined;

  constructor(options: AutoscalerOptions) {
    this.#options = options;
    this.#bounds = options.bounds;
    this.#neededAt = options.clock.monotonic();
  }

  get bounds(): AutoscaleBounds {
    return this.#bounds;
  }

  /** Takes effect at once: slots beyond the new bounds go or come without waiting for need. */
  setBounds(bounds: AutoscaleBounds): void {
    this.#bounds = bounds;
    this.#apply(0);
  }

  start(): void {
    const { repeat = repeatByTimer } = this.#options;
    this.#end ??= repeat(() => this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    this.#end?.();
    this.#end = () => {};
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const { slots, busy } = this.#options.readSlots();
      const mayGrow = busy >= slots && slots < this.#bounds.max;
      this.#apply(mayGrow ? await this.#options.countWaiting() : 0);
    } catch (error) {
      this.#options.onTrouble(error);
    } finally {
      this.#looking = false;
    }
  }

  #apply(waiting: number): void {
    const { clock, readSlots, resize } = this.#options;
    const now = clock.monotonic();
    const load = { ...readSlots(), waiting, calmMs: now - this.#neededAt };
    const slots = decideSlots(load, this.#bounds);
    if (areAllNeeded(load) || slots < load.slots) this.#neededAt = now;
    if (slots !== load.slots) resize(slots);
  }
}

function repeatByTimer(look: () => Promise<void>, everyMs: number): () => void {
  const timer = setInterval(() => void look(), everyMs);
  return () => clearInterval(timer);
}

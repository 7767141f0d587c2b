import type { SetTimer } from '../../../src/engine/beat/repetition.ts';
import type { Clock } from '../../../src/engine/core/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly call: () => Promise<void>;
  readonly owner: TimerOwner;
}

/** A process of the simulation: its timers end with it, or wait while it sleeps. */
export interface TimerOwner {
  readonly setTimer: SetTimer;
  /** None of its timers is called any more. */
  kill(): void;
  /** Its timers wait until it wakes, and are called at once then. */
  suspend(): void;
  wake(): void;
}

/**
 * Time that goes as fast as what happens in it: from timer to timer. Timers of the same instant are called together, as those of two
 * processes would be, and the next instant comes when all that they began has ended.
 */
export class SimulatedTime {
  readonly clock: Clock;
  readonly #onChange: (wall: number) => void;
  #timers: Timer[] = [];
  #order = 0;
  #monotonic = 0;
  /** Of the wall clock from the monotonic one. */
  #offset: number;
  readonly #asleep = new Set<TimerOwner>();
  readonly #dead = new Set<TimerOwner>();

  /** @param onChange is told the time of the wall clock whenever it changes */
  constructor(at: number, onChange: (wall: number) => void = () => {}) {
    this.#offset = at;
    this.#onChange = onChange;
    this.clock = { now: () => this.#monotonic + this.#offset, monotonic: () => this.#monotonic };
    onChange(at);
  }

  createOwner(): TimerOwner {
    const owner: TimerOwner = {
      setTimer: (call, afterMs) => {
        const timer = { at: this.#monotonic + Math.max(0, Math.ceil(afterMs)), order: this.#order++, call, owner };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
        };
      },
      kill: () => this.#dead.add(owner),
      suspend: () => this.#asleep.add(owner),
      wake: () => this.#asleep.delete(owner),
    };
    return owner;
  }

  /** Somebody sets the wall clock. */
  jump(ms: number): void {
    this.#offset += ms;
    this.#onChange(this.clock.now());
  }

  /** Lets everything happen until the wall clock shows this. */
  async runUntil(wall: number): Promise<void> {
    for (;;) {
      this.#timers = this.#timers.filter(({ owner }) => !this.#dead.has(owner));
      const awake = this.#timers.filter(({ owner }) => !this.#asleep.has(owner));
      const at = Math.min(...awake.map((timer) => timer.at));
      if (at + this.#offset > wall) break;
      const due = awake.filter((timer) => timer.at <= at).sort((a, b) => a.order - b.order);
      this.#timers = this.#timers.filter((timer) => !due.includes(timer));
      this.#move(Math.max(this.#monotonic, at));
      await Promise.all(due.map(({ call }) => call()));
    }
    this.#move(Math.max(this.#monotonic, wall - this.#offset));
  }

  runFor(ms: number): Promise<void> {
    return this.runUntil(this.clock.now() + ms);
  }

  #move(monotonic: number): void {
    this.#monotonic = monotonic;
    this.#onChange(this.clock.now());
  }
}

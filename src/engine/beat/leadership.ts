/**
 * Which of the beats leads. Any number of them run; one acts, the others stand by.
 *
 * States of a beat, and what it may do in each:
 *
 *     standby ──(the lease is free, or was not renewed)──▶ leading
 *        ▲                                                   │
 *        └──(another one holds it, or its own word ran out)──┘
 *
 * - standby: asks for the lease every `renewMs`, and at the instant at which the one it was told of runs out. It reads nothing else and
 *   changes nothing.
 * - leading: renews the lease every `renewMs`, and keeps the entries. It may act only while `leads()` says so, and asks that before
 *   each thing it does, not once for many.
 *
 * The lease is one entry of the store, by the clock of the store; so beats need not agree on the time. What a leader trusts is less:
 * from the moment it *asked* for the lease, `leaseMs` less a margin, by its own clocks. By both of them: the monotonic clock is right
 * when somebody sets the time, but it stands still while a machine sleeps, and then the wall clock has moved on. So trust ends before
 * the lease does, whatever the answer took, and no other beat can lead while it lasts.
 *
 * What happens at each failure:
 *
 * 1. The leader dies. Its lease runs out after `leaseMs` at most, and the first standby that asks then leads. No firing is lost in
 *    between: those that were ahead are jobs in the store already, workers go on from those they take, and what passed besides is
 *    decided by the new leader, by the policy of each entry.
 * 2. The leader is suspended (a stopped process, a sleeping machine, a blocked event loop) for longer than its lease. When it wakes,
 *    `leads()` is false: it does nothing but ask. If another one leads it stands by; if not, it leads anew and reads all again.
 * 3. The broker is away. The lease cannot be renewed, trust runs out, and the leader stops acting; it asks again every `retryMs`. All
 *    beats do; one of them is first when the broker is back.
 * 4. The broker has forgotten the lease (a restart without its data, an operator who removed it). The next to ask has it; a leader
 *    whose renewal says so stands by. Until then, for `renewMs` at most, both may act.
 * 5. Two lead for a moment all the same (case 4, a clock that runs too slowly). Nothing is doubled: a step of a chain is one atomic
 *    operation that only the firing ahead can be the source of, and the id of a firing follows from its due time. The lease spares
 *    the store the work of many beats; it is not what keeps firings single.
 *
 * A beat that stops gives the lease back, so that the next one leads within `renewMs`.
 */
import type { StateStore } from '../broker/state-port.ts';
import type { Clock } from '../core/clock.ts';
import { Repetition, type SetTimer } from './repetition.ts';

const LEASE = 'schedule/leader';
/** Of the lease that a leader does not use: for a clock that runs slowly, and a command that is under way. */
const MARGIN = 1 / 15;
/** After the instant at which the lease of another one ends. */
const LATER_MS = 20;

export interface LeadershipOptions {
  readonly state: Pick<StateStore, 'lease' | 'release'>;
  readonly clock: Clock;
  /** Unlike any other beat's, also of an earlier run of the same one. */
  readonly holder: string;
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly retryMs: number;
  readonly setTimer: SetTimer;
  /** It leads from now on, and knows nothing of what was before. */
  readonly onWon: () => void;
  /** It must not act any more. @param leader who does; undefined when nobody could be asked */
  readonly onLost: (leader: string | undefined) => void;
  /** The store has answered. */
  readonly onAnswer: () => void;
  readonly onTrouble: (error: unknown) => void;
}

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #asking: Repetition;
  /** Only `#become` changes it. */
  #isLeading = false;
  #since: number;
  #leader: string | undefined;
  #trusted = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  #isStopping = false;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    const { retryMs, setTimer, onTrouble } = options;
    this.#asking = new Repetition({ act: () => this.#ask(), retryMs, setTimer, onTrouble });
  }

  /** Whether it may act now. To be asked before each change of the store. */
  leads(): boolean {
    return this.#isLeading && !this.#isStopping && this.#trusts();
  }

  /** Since when it leads, or stands by; epoch ms. */
  get since(): number {
    return this.#since;
  }

  /** The holder of the lease when it was asked for last; undefined before the first answer. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** Resolves when it has asked once. */
  start(): Promise<void> {
    return this.#asking.start();
  }

  /** From the call on it does not lead; resolves when the lease is given back, or could not be. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#asking.stop();
    const { state, holder } = this.#options;
    if (this.#leader === holder) await state.release(LEASE, holder).catch(() => undefined);
    this.#isLeading = false;
  }

  async #ask(): Promise<number> {
    const { state, clock, holder, leaseMs, renewMs, onAnswer } = this.#options;
    if (this.#isLeading && !this.leads()) this.#become(false, undefined);
    const asked = { monotonic: clock.monotonic(), wall: clock.now() };
    const answer = await state.lease(LEASE, holder, leaseMs);
    onAnswer();
    this.#leader = answer.holder;
    const hasIt = answer.holder === holder;
    if (hasIt) {
      const trustMs = leaseMs * (1 - MARGIN);
      this.#trusted = { monotonic: asked.monotonic + trustMs, wall: asked.wall + trustMs };
    }
    // An answer that came so late is no word to act on: it is asked for anew, at once.
    if (hasIt && !this.#trusts()) return 0;
    this.#become(hasIt, answer.holder);
    return hasIt ? renewMs : Math.min(renewMs, Math.max(0, answer.leftMs) + LATER_MS);
  }

  #trusts(): boolean {
    const { clock } = this.#options;
    return clock.monotonic() < this.#trusted.monotonic && clock.now() < this.#trusted.wall;
  }

  #become(isLeading: boolean, leader: string | undefined): void {
    if (isLeading === this.#isLeading || this.#isStopping) return;
    this.#isLeading = isLeading;
    this.#since = this.#options.clock.now();
    if (isLeading) this.#options.onWon();
    else this.#options.onLost(leader);
  }
}

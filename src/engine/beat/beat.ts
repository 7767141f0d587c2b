/**
 * A beat: keeps the entries of a broker firing. Any number may run; one leads (leadership.ts).
 *
 * Start: 1. the entries that the app declares are brought into the broker, once (a deploy); 2. it asks for the lease; 3. it tells that
 * it is there. From then on its actors repeat what they do, each in a file of its own, until it stops.
 *
 * Stop: nothing new is begun, what is under way ends, and the lease is given back, so that a standby leads within seconds.
 * Stopping a beat stops no entry: the firing ahead of each is a job in the broker, and workers go on from those that they take.
 */
import type { Logger } from 'pino';
import type { Broker } from '../broker/port.ts';
import type { Clock } from '../core/clock.ts';
import { EntryStore } from '../schedule/entry-store.ts';
import { Absence } from './absence.ts';
import { type BeatTiming, DEFAULT_TIMING } from './beat-timing.ts';
import { type ArmEntry, ChainKeeping, type DisarmEntry } from './chain-keeping.ts';
import { EntryBook } from './entry-book.ts';
import { FullLook } from './full-look.ts';
import { Intake } from './intake.ts';
import { Leadership } from './leadership.ts';
import type { LiveBeat } from './live-beats.ts';
import { Presence } from './presence.ts';
import { Pulse } from './pulse.ts';
import { type SetTimer, setNodeTimer } from './repetition.ts';
import { StartWatch } from './start-watch.ts';

/** How long a stop waits for what is under way while the broker is away; the lease then runs out by itself. */
const GIVE_UP_MS = 5000;

export interface BeatSettings {
  readonly broker: Pick<Broker, 'state' | 'queue'>;
  readonly arm: ArmEntry;
  readonly disarm: DisarmEntry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly identity: Pick<LiveBeat, 'id' | 'name' | 'host' | 'pid' | 'version'>;
  /** Brings what the app declares into the broker, and logs what that changed. */
  readonly reconcile?: (() => Promise<void>) | undefined;
  readonly timing?: Partial<BeatTiming>;
  /** Default the timers of Node. */
  readonly setTimer?: SetTimer;
}

/** How a beat does, from what it knows now: asks nobody. */
export interface BeatState extends LiveBeat {
  readonly phase: 'starting' | 'running' | 'stopping';
  /** Who leads: itself, another one, or null while nobody could be asked. */
  readonly leader: string | null;
}

export class Beat {
  readonly name: string;
  readonly #settings: BeatSettings;
  readonly #leadership: Leadership;
  readonly #presence: Presence;
  readonly #book = new EntryBook();
  readonly #intake: Intake;
  readonly #look: FullLook;
  readonly #pulse: Pulse;
  readonly #watch: StartWatch;
  readonly #startedAt: number;
  readonly #ended = Promise.withResolvers<void>();
  #phase: BeatState['phase'] = 'starting';
  #stopping: Promise<void> | undefined;

  constructor(settings: BeatSettings) {
    this.#settings = settings;
    const { broker, clock, logger, identity, setTimer = setNodeTimer } = settings;
    const timing = { ...DEFAULT_TIMING, ...settings.timing };
    this.name = identity.name;
    this.#startedAt = clock.now();
    const absence = new Absence({ clock, logger });
    const trouble =
      (doing: string) =>
      (error: unknown): void =>
        absence.note(doing, error);
    const leads = (): boolean => this.#leadership.leads();
    const common = { ...timing, state: broker.state, book: this.#book, clock, logger, setTimer, leads };
    const repeated = { ...common, retryMs: timing.pulseMs };
    this.#leadership = new Leadership({
      ...repeated,
      holder: `${identity.name} ${identity.id}`,
      onWon: () => this.#lead(),
      onLost: (leader) => this.#standBy(leader),
      onAnswer: () => absence.noteAnswer(),
      onTrouble: trouble('ask who leads'),
    });
    this.#presence = new Presence({
      ...repeated,
      ttlMs: timing.leaseMs,
      everyMs: timing.renewMs,
      describe: () => this.#describe(),
      onTrouble: trouble('tell that it runs'),
    });
    this.#watch = new StartWatch({
      ...repeated,
      broker,
      everyMs: timing.pulseMs,
      onTrouble: trouble('see whether firings start'),
    });
    const chains = new ChainKeeping({
      ...settings,
      ...common,
      timing,
      onTrouble: (doing, error) => absence.note(doing, error),
      onFiring: (firing) => this.#watch.add(firing),
    });
    this.#pulse = new Pulse({ ...repeated, chains, onTrouble: trouble('go on from firings that are due') });
    this.#look = new FullLook({
      ...repeated,
      chains,
      onLooked: () => this.#pulse.hurry(),
      onTrouble: trouble('look at the schedulers of all entries'),
    });
    this.#intake = new Intake({
      ...repeated,
      entries: new EntryStore(broker.state),
      onChanged: (names) => this.#look.hurry(names),
      onTrouble: trouble('read the schedule entries'),
    });
  }

  get state(): BeatState {
    const leader = this.#leadership.leads() ? this.name : (nameOf(this.#leadership.leader) ?? null);
    return { ...this.#describe(), phase: this.#phase, leader };
  }

  /** Resolves when it has stopped, whatever stopped it. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /**
   * Resolves when the declared entries are in the broker, and the beat leads or stands by.
   *
   * @throws BROKER_UNAVAILABLE, and what is wrong with a declared entry; nothing runs then
   */
  async start(): Promise<void> {
    if (this.#stopping !== undefined || this.#phase !== 'starting') return;
    await this.#settings.reconcile?.();
    if (this.#stopping !== undefined) return;
    this.#phase = 'running';
    await this.#leadership.start();
    for (const actor of [this.#presence, this.#intake, this.#look, this.#pulse, this.#watch]) await actor.start();
  }

  /** Calling it again changes nothing. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.ended;
  }

  async #stop(): Promise<void> {
    this.#phase = 'stopping';
    // All at once: from here on it does not lead, and what the others have under way ends by itself.
    const actors = [this.#leadership, this.#intake, this.#look, this.#pulse, this.#watch, this.#presence];
    const stopped = Promise.all(actors.map((actor) => actor.stop()));
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, GIVE_UP_MS);
    await Promise.race([stopped, tooLate]);
    clearTimeout(timer);
    this.#ended.resolve();
  }

  #lead(): void {
    this.#settings.logger.info('the beat leads');
    this.#forget();
    this.#intake.restart();
    this.#presence.renew();
  }

  #standBy(leader: string | undefined): void {
    const { logger } = this.#settings;
    this.#forget();
    if (leader === undefined)
      logger.warn('the beat could not renew its lease in time, and does nothing until it has one');
    else logger.warn({ leader: nameOf(leader) }, 'another beat leads; this one stands by');
    this.#presence.renew();
  }

  /** What it knew was true while it led. */
  #forget(): void {
    this.#book.clear();
    this.#watch.clear();
  }

  #describe(): LiveBeat {
    const isLeader = this.#leadership.leads();
    const { since } = this.#leadership;
    const kept = { entries: this.#book.size, lastTickAt: this.#pulse.lastAt, overdue: this.#watch.overdue };
    return { ...this.#settings.identity, startedAt: this.#startedAt, isLeader, since, ...kept };
  }
}

/** The holder of the lease is the name of a beat and its id. */
function nameOf(holder: string | undefined): string | undefined {
  return holder?.slice(0, holder.lastIndexOf(' '));
}

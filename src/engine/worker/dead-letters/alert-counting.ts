/**
 * Counts dead letters for the alerts of an app, and has an alert sent when a rule's threshold is reached.
 *
 * All workers count together, in the state of the broker:
 * 1. `alerts/window/<rule and key>` names the window that runs now. Whoever finds none begins one; it ends by the store's clock.
 * 2. `alerts/count/<window>` is how many dead letters it has had.
 * 3. The alert of a window is one job for each way of telling (webhook, e-mail), whose id is made of the window's: whoever adds it
 *    again changes nothing, so it is sent once, by whichever worker takes it, and tried again there as any job is.
 *
 * `count` ends before the outcome of the dead letter is stored, and that order is what makes an alert safe. A worker looks first whether
 * this dead letter reaches the threshold, adds the alert's job, and only then counts it. Wherever it dies:
 * - before it has counted: the lock of the dead letter's job runs out, and it dies again in the hands of another worker, which counts;
 * - between the alert and the count, or between the count and the stored outcome: the alert is a job already, and the job that dies
 *   again is counted twice. One too many is the price; none is lost.
 * Two workers may both look, see one too few, and then count: the second of them sees the threshold in its count, and adds the job then.
 * Only if it dies in just that moment, and its job is taken up again after the end of the window, nobody is told.
 *
 * Once the alert of a window is there, this worker counts no more of it until it ends: 40,000 failures cost the store the first few.
 */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker } from '../../broker/port.ts';
import type { StateStore } from '../../broker/state-port.ts';
import { ALERT_TASK, type AlertNotice } from '../../core/alert-notice.ts';
import type { AlertRule } from '../../core/alert-rule.ts';
import type { Clock } from '../../core/clock.ts';
import { TqError } from '../../core/errors.ts';
import type { NewJob } from '../../core/job.ts';
import { parseNamePattern } from '../../core/name-pattern.ts';
import type { DeadLetter } from './dead-letter.ts';

/** The count outlives its window by this, for those who began to count in it. */
const GRACE_MS = 60_000;
const PAUSE_MS = 1000;
/** An alert goes to the head of its queue at once. If that fails, it is due after this. */
const DUE_AFTER_MS = 1000;
/** Windows that this worker remembers; each costs some hundred bytes. */
const REMEMBERED = 10_000;

export interface AlertCountingOptions {
  readonly rules: readonly AlertRule[];
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Matcher {
  readonly rule: AlertRule;
  readonly matches: (letter: DeadLetter) => boolean;
}

interface Window {
  readonly id: string;
  /** When its first dead letter was seen, epoch ms. */
  readonly firstAt: number;
  /** By the monotonic clock of this process. */
  readonly endsAt: number;
  /** Its alert is a job. */
  isTold: boolean;
}

export class AlertCounting {
  readonly #options: AlertCountingOptions;
  readonly #matchers: readonly Matcher[];
  readonly #state: StateStore;
  readonly #windows = new Map<string, Window>();
  readonly #abandoned = new AbortController();

  constructor(options: AlertCountingOptions) {
    this.#options = options;
    this.#state = options.broker.state;
    this.#matchers = options.rules.map((rule) => ({ rule, matches: createMatch(rule) }));
  }

  /** @returns undefined when no rule counts it; resolves when all have. Never rejects */
  count(letter: DeadLetter): Promise<void> | undefined {
    // One that is about an alert must not lead to another one.
    if (letter.task === ALERT_TASK) return undefined;
    const concerned = this.#matchers.filter(({ matches }) => matches(letter));
    if (concerned.length === 0) return undefined;
    return this.#countAll(concerned, letter);
  }

  /** The broker is waited for no more. */
  abandon(): void {
    this.#abandoned.abort();
  }

  async #countAll(concerned: readonly Matcher[], letter: DeadLetter): Promise<void> {
    await Promise.all(concerned.map(({ rule }) => this.#countPatiently(rule, letter)));
  }

  /** A store that is away is waited for, as the outcome of the job would wait for it. */
  async #countPatiently(rule: AlertRule, letter: DeadLetter): Promise<void> {
    const { logger } = this.#options;
    const { signal } = this.#abandoned;
    for (;;) {
      try {
        return await this.#countFor(rule, letter);
      } catch (error) {
        const isAway = error instanceof TqError && error.code === 'BROKER_UNAVAILABLE';
        if (!isAway || signal.aborted) {
          const message =
            'a dead letter was not counted for its alert; `tq dlq list` shows it, and `tq doctor` what is wrong with the broker';
          logger.error({ task_id: letter.id, queue: letter.queue, alert: rule.name, err: error }, message);
          return;
        }
        await wait(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #countFor(rule: AlertRule, letter: DeadLetter): Promise<void> {
    const state = this.#state;
    const key = keyOf(rule, letter);
    const window = await this.#window(rule, key);
    if (window.isTold) return;
    const counter = `alerts/count/${window.id}`;
    const ttlMs = rule.windowMs + GRACE_MS;
    const { total: before } = await state.count(counter, 0, ttlMs);
    const reaches = before + 1 >= rule.threshold;
    if (reaches) await this.#tell(rule, letter, { window, count: before + 1 });
    const { total } = await state.count(counter, 1, ttlMs);
    if (!reaches && total >= rule.threshold) await this.#tell(rule, letter, { window, count: total });
  }

  /** The window that runs now; begins one if there is none. */
  async #window(rule: AlertRule, key: string): Promise<Window> {
    const { clock } = this.#options;
    const now = clock.monotonic();
    const known = this.#windows.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    const entry = `alerts/window/${key}`;
    for (;;) {
      const found = await this.#state.read(entry);
      if (found !== undefined) {
        const { id, firstAt } = JSON.parse(found.value) as Pick<Window, 'id' | 'firstAt'>;
        return this.#remember(key, { id, firstAt, endsAt: now + (found.leftMs ?? 0), isTold: false });
      }
      const begun = { id: `${key}-${randomUUID()}`, firstAt: clock.now() };
      const options = { expected: null, ttlMs: rule.windowMs };
      if ((await this.#state.write(entry, JSON.stringify(begun), options)) !== undefined) {
        return this.#remember(key, { ...begun, endsAt: now + rule.windowMs, isTold: false });
      }
    }
  }

  /** Several dead letters may have looked at once: the first one's window is that of all. */
  #remember(key: string, window: Window): Window {
    const other = this.#windows.get(key);
    if (other?.id === window.id) return other;
    this.#windows.delete(key);
    this.#windows.set(key, window);
    for (const oldest of this.#windows.keys()) {
      if (this.#windows.size <= REMEMBERED) break;
      this.#windows.delete(oldest);
    }
    return window;
  }

  /** It goes where the dead letter was: who serves that queue has, most likely, the rule. */
  async #tell(
    rule: AlertRule,
    letter: DeadLetter,
    { window, count }: { window: Window; count: number },
  ): Promise<void> {
    const { broker, clock, logger } = this.#options;
    const queue = broker.queue(letter.queue);
    const now = clock.now();
    // The job itself would say so, but an app may keep results for less than a window.
    const told = `alerts/told/${window.id}`;
    if ((await this.#state.read(told)) !== undefined) {
      window.isTold = true;
      return;
    }
    const notice = { id: window.id, count, firstAt: window.firstAt, lastAt: now, ...describe(rule, letter) };
    const ways = [rule.webhook === null ? [] : ['webhook' as const], rule.email.length === 0 ? [] : ['email' as const]];
    const priority = (await queue.hasPriorities()) ? { priority: 9 } : {};
    const jobs = ways.flat().map((via): NewJob => {
      const said: AlertNotice = { ...notice, via };
      const meta = { requestId: letter.requestId };
      const id = `alert-${window.id}-${via}`;
      return { id, task: ALERT_TASK, args: [said], meta, createdAt: now, delayMs: DUE_AFTER_MS, ...priority };
    });
    await queue.addBulk(jobs);
    await this.#state.write(told, letter.id, { ttlMs: rule.windowMs + GRACE_MS });
    window.isTold = true;
    await queue.promoteToHead(jobs.map(({ id }) => id)).catch(() => undefined);
    logger.warn(
      { alert: rule.name, count, queue: letter.queue, task_name: letter.task, task_id: letter.id },
      'too many dead letters: an alert goes out',
    );
  }
}

function createMatch({ queue, task, fingerprint }: AlertRule): (letter: DeadLetter) => boolean {
  const any = (patterns: readonly string[] | null): ((name: string) => boolean) => {
    if (patterns === null) return () => true;
    const matches = patterns.map(parseNamePattern);
    return (name) => matches.some((fits) => fits(name));
  };
  const [ofQueue, ofTask, ofKind] = [any(queue), any(task), any(fingerprint)];
  return (letter) => ofQueue(letter.queue) && ofTask(letter.task) && ofKind(letter.error.fingerprint);
}

/** A hash: names may hold anything, and who is told of another rule must not be told instead. */
function keyOf(rule: AlertRule, { queue, task, error }: DeadLetter): string {
  const parts = { rule: '', queue, task, fingerprint: error.fingerprint };
  const text = JSON.stringify([{ ...rule, secret: null }, parts[rule.per]]);
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

function describe(
  rule: AlertRule,
  letter: DeadLetter,
): Omit<AlertNotice, 'id' | 'via' | 'count' | 'firstAt' | 'lastAt'> {
  const { id, task, queue, worker, error } = letter;
  const { fingerprint, ...thrown } = error;
  const shared = { queue, task, fingerprint };
  const commonOf = (field: 'queue' | 'task' | 'fingerprint'): string | null => {
    const [only, ...more] = rule[field] ?? [];
    if (rule.per === field) return shared[field];
    return only !== undefined && more.length === 0 && !/[*?]/.test(only) ? only : null;
  };
  return {
    rule: rule.name,
    threshold: rule.threshold,
    windowMs: rule.windowMs,
    queue: commonOf('queue'),
    task: commonOf('task'),
    fingerprint: commonOf('fingerprint'),
    sample: { id, task, queue, fingerprint, error: thrown, worker },
  };
}

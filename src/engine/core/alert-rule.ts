import { type Duration, formatDuration, parseDuration } from './duration.ts';
import { isRecord } from './envelope.ts';
import { messageOf } from './errors.ts';
import { formatGiven } from './given.ts';
import { nearestNames } from './nearest.ts';

/** When somebody is to hear of dead letters, as an app or a config file says it. */
export interface AlertRuleOptions {
  /** What the alert is called, also in its state: a rule with another name counts anew. Default what it counts. */
  readonly name?: string;
  /** Only dead letters of these queues: a pattern as in `routes`, or several. Default all. */
  readonly queue?: string | readonly string[];
  readonly task?: string | readonly string[];
  readonly fingerprint?: string | readonly string[];
  /** What is counted apart: each queue, task or fingerprint for itself. Default `rule`: all dead letters of the rule together. */
  readonly per?: AlertPer;
  /** The alert is sent with this dead letter of a window. Default 10. */
  readonly threshold?: number;
  /** How long dead letters are counted together, from the first one on. Default 5 minutes. */
  readonly window?: Duration;
  /** Where the alert is posted to as JSON. */
  readonly webhook?: string;
  /** Signs what is posted. */
  readonly secret?: string;
  /** Who gets it as an e-mail. */
  readonly email?: string | readonly string[];
}

export type AlertPer = (typeof PERS)[number];

/** A rule, checked, with the defaults filled in. Plain data: it goes to child processes. */
export interface AlertRule {
  readonly name: string;
  /** Null lets all through. */
  readonly queue: readonly string[] | null;
  readonly task: readonly string[] | null;
  readonly fingerprint: readonly string[] | null;
  readonly per: AlertPer;
  readonly threshold: number;
  readonly windowMs: number;
  readonly webhook: string | null;
  readonly secret: string | null;
  readonly email: readonly string[];
}

const PERS = ['rule', 'queue', 'task', 'fingerprint'] as const;
const KEYS: readonly (keyof AlertRuleOptions)[] = [
  ...(['name', 'queue', 'task', 'fingerprint', 'per', 'threshold', 'window'] as const),
  ...(['webhook', 'secret', 'email'] as const),
];
const DEFAULT_THRESHOLD = 10;
const DEFAULT_WINDOW_MS = 5 * 60_000;
const MINIMUM_WINDOW_MS = 1000;

interface ParsedAlerts {
  readonly rules: readonly AlertRule[];
  /** What is wrong, a sentence each. Nothing of a URL, an address or a secret stands in them. */
  readonly mistakes: readonly string[];
}

/** Reads `alerts` of an app or a config file. */
export function parseAlerts(given: unknown): ParsedAlerts {
  if (!Array.isArray(given)) return { rules: [], mistakes: [`alerts must be a list of rules, got ${kindOf(given)}`] };
  const mistakes: string[] = [];
  const rules: AlertRule[] = [];
  for (const [index, options] of given.entries()) {
    const rule = new RuleReader(`alerts[${index}]`, mistakes).read(options);
    if (rule === undefined) continue;
    if (rules.some(({ name }) => name === rule.name)) {
      mistakes.push(`alerts[${index}] has the name of an earlier rule, "${rule.name}"; give it a \`name\` of its own`);
    }
    rules.push(rule);
  }
  return { rules, mistakes };
}

/** The same rule, fit for a report: of its webhook the host is left, and nothing of what signs. */
export function maskAlert(rule: AlertRule): AlertRule {
  const { protocol, host } = new URL(rule.webhook ?? 'https://none');
  const webhook = rule.webhook === null ? null : `${protocol}//${host}/***`;
  return { ...rule, webhook, secret: rule.secret === null ? null : '***' };
}

/** Reads one rule, and adds to the mistakes what is wrong with it. */
class RuleReader {
  readonly #what: string;
  readonly #mistakes: string[];

  constructor(what: string, mistakes: string[]) {
    this.#what = what;
    this.#mistakes = mistakes;
  }

  read(options: unknown): AlertRule | undefined {
    if (!isRecord(options)) {
      this.#mistakes.push(`${this.#what} must be an object, got ${kindOf(options)}`);
      return undefined;
    }
    this.#checkKeys(options);
    const rule = {
      queue: this.#patterns('queue', options.queue),
      task: this.#patterns('task', options.task),
      fingerprint: this.#patterns('fingerprint', options.fingerprint),
      per: this.#per(options.per),
      threshold: this.#threshold(options.threshold),
      windowMs: this.#window(options.window),
      webhook: this.#webhook(options.webhook),
      secret: this.#secret(options),
      email: this.#addresses(options.email),
    };
    if (options.webhook === undefined && options.email === undefined) {
      this.#mistakes.push(`${this.#what} says nobody to tell: give it a \`webhook\` or an \`email\``);
    }
    return { name: this.#name(options.name) ?? describe(rule), ...rule };
  }

  #checkKeys(options: Record<string, unknown>): void {
    for (const key of Object.keys(options)) {
      if (KEYS.some((known) => known === key)) continue;
      const [near] = nearestNames(key, KEYS);
      this.#mistakes.push(
        `${this.#what} has no option "${key}"${near === undefined ? '' : `, did you mean "${near}"?`}`,
      );
    }
  }

  #wrong<Fallback>(option: string, expected: string, given: string, fallback: Fallback): Fallback {
    this.#mistakes.push(`${option} of ${this.#what} must be ${expected}, got ${given}`);
    return fallback;
  }

  #name(given: unknown): string | undefined {
    if (given === undefined) return undefined;
    if (typeof given === 'string' && /^[^\p{Cc}]{1,200}$/u.test(given) && given.trim() !== '') return given;
    return this.#wrong('name', 'a text of 1 to 200 characters on one line', formatGiven(given), undefined);
  }

  #patterns(option: string, given: unknown): readonly string[] | null {
    if (given === undefined) return null;
    const patterns = Array.isArray(given) ? given : [given];
    const isPattern = (one: unknown): one is string => typeof one === 'string' && one !== '';
    if (patterns.length > 0 && patterns.every(isPattern)) return patterns;
    return this.#wrong(option, 'a pattern such as "email.*", or a list of them', formatGiven(given), null);
  }

  #per(given: unknown): AlertPer {
    const per = PERS.find((one) => one === (given ?? 'rule'));
    return per ?? this.#wrong('per', `one of ${PERS.join(', ')}`, formatGiven(given), 'rule' as const);
  }

  #threshold(given: unknown = DEFAULT_THRESHOLD): number {
    if (Number.isSafeInteger(given) && (given as number) >= 1) return given as number;
    return this.#wrong('threshold', 'a whole number from 1', formatGiven(given), DEFAULT_THRESHOLD);
  }

  #window(given: unknown): number {
    if (given === undefined) return DEFAULT_WINDOW_MS;
    try {
      const ms = parseDuration(given as Duration, `window of ${this.#what}`);
      if (ms >= MINIMUM_WINDOW_MS) return ms;
      return this.#wrong('window', '1s or more', formatGiven(given), DEFAULT_WINDOW_MS);
    } catch (error) {
      this.#mistakes.push(messageOf(error));
      return DEFAULT_WINDOW_MS;
    }
  }

  /** It may hold a key to the place that it names, as those of chat rooms do. */
  #webhook(given: unknown): string | null {
    if (given === undefined) return null;
    const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined;
    const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
    if (url !== undefined && isWeb && url.username === '' && url.password === '') return url.href;
    const expected = 'a URL that begins with https:// or http:// and holds no user and password';
    return this.#wrong('webhook', expected, url === undefined ? kindOf(given) : 'another URL', null);
  }

  #secret({ secret, webhook }: Record<string, unknown>): string | null {
    if (secret === undefined) return null;
    if (webhook === undefined) this.#wrong('secret', 'left out without a `webhook`', 'one', null);
    if (typeof secret === 'string' && secret.length >= 8) return secret;
    return this.#wrong('secret', 'a text of 8 characters or more', kindOf(secret), null);
  }

  #addresses(given: unknown): readonly string[] {
    if (given === undefined) return [];
    const addresses = Array.isArray(given) ? given : [given];
    const isAddress = (one: unknown): one is string => typeof one === 'string' && /^[^\p{Cc}]+@[^\p{Cc}]+$/u.test(one);
    if (addresses.length > 0 && addresses.length <= 100 && addresses.every(isAddress)) return addresses;
    return this.#wrong('email', 'an address, or a list of 1 to 100 of them', kindOf(given), []);
  }
}

/** What a value is, without showing it. */
function kindOf(given: unknown): string {
  if (given === null) return 'null';
  if (Array.isArray(given)) return 'a list';
  return typeof given === 'string' ? 'another text' : typeof given === 'object' ? 'an object' : typeof given;
}

/** `10 dead letters in 5m: queue high, per task`. */
function describe({ queue, task, fingerprint, per, threshold, windowMs }: Omit<AlertRule, 'name'>): string {
  const facts = [
    queue === null ? [] : [`queue ${queue.join('|')}`],
    task === null ? [] : [`task ${task.join('|')}`],
    fingerprint === null ? [] : [`fingerprint ${fingerprint.join('|')}`],
    per === 'rule' ? [] : [`per ${per}`],
  ].flat();
  const counted = `${threshold} dead ${threshold === 1 ? 'letter' : 'letters'} in ${formatDuration(windowMs)}`;
  return facts.length === 0 ? counted : `${counted}: ${facts.join(', ')}`;
}

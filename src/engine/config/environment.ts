import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { nearestNames } from '../core/nearest.ts';
import { SETTING_NAMES, SETTINGS, type SettingName } from './schema.ts';

/** A value as one source gives it, not yet checked, and where it stands in words of that source. */
export interface Given {
  readonly where: string;
  readonly value: unknown;
}

/** What tq takes from the environment. A variable that is set to nothing counts as not set. */
export interface Environment {
  /** Settings by their TQ_ variables, NO_COLOR and FORCE_COLOR. */
  readonly settings: ReadonlyMap<SettingName, Given>;
  /**
   * REDIS_URL, or the URL that REDIS_HOST, REDIS_PORT, REDIS_DB and REDIS_PASSWORD make; undefined when none is set. Other
   * programs use these names too, so `mistakes` only matters when no better source names a broker.
   */
  readonly redis: (Given & { readonly mistakes: readonly string[] }) | undefined;
  /** Colours are wanted even where there is no terminal. */
  readonly forceColor: boolean;
  readonly nodeEnv: string | undefined;
  readonly smtpUrl: string | undefined;
  readonly emailFrom: string | undefined;
  /** The folder of what programs keep for a user, and that of their settings (XDG base directories). Absolute. */
  readonly stateHome: string;
  readonly configHome: string;
  /** TQ_ variables that mean nothing, each with the name that was probably meant. */
  readonly warnings: readonly string[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The one place that reads the environment of the process. Checks nothing and throws nothing: loadSettings does. */
export function readEnvironment(env: Variables = process.env): Environment {
  const variables = new Map(Object.entries(env).filter((pair): pair is [string, string] => isSet(pair[1])));
  const settings = new Map<SettingName, Given>();
  for (const name of SETTING_NAMES) {
    const { variable, kind } = SETTINGS[name];
    const text = variable === null ? undefined : variables.get(variable);
    if (variable !== null && text !== undefined) {
      settings.set(name, { where: variable, value: kind.fromText(text.trim()) });
    }
  }
  const color = settings.has('noColor') ? undefined : readColor(variables);
  if (color !== undefined) settings.set('noColor', color);
  return {
    settings,
    redis: readRedis(variables),
    forceColor: isForced(variables),
    nodeEnv: variables.get('NODE_ENV'),
    smtpUrl: variables.get('SMTP_URL'),
    emailFrom: variables.get('EMAIL_FROM'),
    stateHome: readHome(variables, 'XDG_STATE_HOME', '.local/state'),
    configHome: readHome(variables, 'XDG_CONFIG_HOME', '.config'),
    warnings: listUnknown(variables.keys()),
  };
}

/** The environment for a child process: that of this one, with some variables of its own. */
export function inheritEnvironment(own: Variables): Variables {
  return { ...process.env, ...own };
}

/** A relative path counts as not set, as the XDG specification has it. */
function readHome(variables: ReadonlyMap<string, string>, name: string, below: string): string {
  const given = variables.get(name);
  return given !== undefined && isAbsolute(given) ? given : join(variables.get('HOME') ?? homedir(), below);
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '';
}

/** NO_COLOR (no-color.org) wins over FORCE_COLOR: who asked for none must not be surprised by some. */
function readColor(variables: ReadonlyMap<string, string>): Given | undefined {
  if (variables.has('NO_COLOR')) return { where: 'NO_COLOR', value: true };
  return variables.has('FORCE_COLOR') ? { where: 'FORCE_COLOR', value: !isForced(variables) } : undefined;
}

function isForced(variables: ReadonlyMap<string, string>): boolean {
  const text = variables.get('FORCE_COLOR');
  return text !== undefined && text !== '0' && text !== 'false';
}

function readRedis(variables: ReadonlyMap<string, string>): Environment['redis'] {
  const url = variables.get('REDIS_URL');
  if (url !== undefined) return { where: 'REDIS_URL', value: url.trim(), mistakes: [] };
  const host = variables.get('REDIS_HOST')?.trim();
  const password = variables.get('REDIS_PASSWORD');
  const db = variables.get('REDIS_DB')?.trim();
  // Kubernetes sets REDIS_PORT=tcp://10.0.0.1:6379 in every pod beside a service named redis. That is no port of ours.
  const port = [variables.get('REDIS_PORT')?.trim()].find((text) => text !== undefined && !text.startsWith('tcp://'));
  if (host === undefined && password === undefined && db === undefined && port === undefined) return undefined;

  const mistakes: string[] = [];
  if (host !== undefined && !/^[\w.:-]+$/.test(host)) mistakes.push('REDIS_HOST must be the name or address of a host');
  if (port !== undefined && !isNumber(port, 1, 65_535)) {
    mistakes.push(`REDIS_PORT must be a whole number from 1 to 65535, got ${JSON.stringify(port)}`);
  }
  if (db !== undefined && !isNumber(db, 0, 65_535)) {
    mistakes.push(`REDIS_DB must be the number of a database, got ${JSON.stringify(db)}`);
  }
  // An IPv6 address stands in brackets in a URL.
  const shownHost = host?.includes(':') ? `[${host}]` : (host ?? 'localhost');
  const user = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  const where = [...REDIS_PARTS].filter((name) => variables.has(name)).join(', ');
  return { where, value: `redis://${user}${shownHost}:${port ?? 6379}/${db ?? 0}`, mistakes };
}

const REDIS_PARTS = ['REDIS_HOST', 'REDIS_PORT', 'REDIS_DB', 'REDIS_PASSWORD'];

function isNumber(text: string, min: number, max: number): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= min && Number(text) <= max;
}

/** The test suite's own variables; a tq that a test starts inherits them. */
const TEST_PREFIX = 'TQ_TEST_';

function listUnknown(names: Iterable<string>): string[] {
  const known = SETTING_NAMES.flatMap((name) => SETTINGS[name].variable ?? []);
  return [...names]
    .filter((name) => name.startsWith('TQ_') && !name.startsWith(TEST_PREFIX) && !known.some((it) => it === name))
    .sort()
    .map((name) => {
      const [near] = nearestNames(name, known);
      return `${name} is no variable of tq${near === undefined ? '' : `; did you mean ${near}?`}`;
    });
}

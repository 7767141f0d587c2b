import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { Beat } from '../beat/beat.ts';
import type { Broker } from '../broker/port.ts';
import { formatWorkerName } from '../control/name-template.ts';
import type { Clock } from '../core/clock.ts';
import { createError } from '../core/errors.ts';
import { formatGiven } from '../core/given.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import { createLogger } from '../runtime/logger.ts';
import { readVersion } from '../runtime/version.ts';

export interface BeatOptions {
  /** What operators see it as; `%h` stands for the host name, `%p` for the process id. Default `beat@%h`. Need not be unique. */
  readonly name?: string;
  /**
   * Whose definition to keep where an operator has changed an entry that code declares, see docs/beat.md. Default that of the code for
   * what is fired and when, that of the operator for a pause.
   */
  readonly take?: 'code' | 'stored';
  /** Default one that writes lines of JSON to stdout. */
  readonly logger?: Logger;
}

interface BeatOf {
  readonly broker: () => Promise<Broker>;
  readonly clock: Clock;
}

const KEYS: readonly (keyof BeatOptions)[] = ['name', 'take', 'logger'];
const DEFAULT_NAME = 'beat@%h';

/** @throws INVALID_OPTION, UNKNOWN_OPTION, BROKER_UNAVAILABLE */
export async function createAppBeat(of: BeatOf, options: BeatOptions): Promise<Beat> {
  assertKnownOptions(options, KEYS, 'the beat');
  const { name = DEFAULT_NAME, take, logger = createLogger({ level: 'info', destination: 1 }).log } = options;
  if (take !== undefined && take !== 'code' && take !== 'stored') {
    const expected = '"code" or "stored"';
    throw createError('INVALID_OPTION', { what: 'take of the beat', expected, given: formatGiven(take) });
  }
  const place = { host: hostname(), pid: process.pid };
  const identity = { ...place, id: randomUUID(), name: formatWorkerName(name, place), version: readVersion() };
  return new Beat({ broker: await of.broker(), clock: of.clock, logger, identity });
}

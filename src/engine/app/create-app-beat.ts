import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { Beat } from '../beat/beat.ts';
import type { Broker } from '../broker/port.ts';
import { formatWorkerName } from '../control/name-template.ts';
import type { Clock } from '../core/clock.ts';
import { assertKnownOptions } from '../core/known-options.ts';
import type { ScheduleEntry } from '../core/schedule/entry.ts';
import { createLogger } from '../runtime/logger.ts';
import { readVersion } from '../runtime/version.ts';
import type { ArmOptions } from '../schedule/arming.ts';
import { assertTake, formatDifferences, type ReconcileReport, type Take } from '../schedule/reconciliation.ts';
import { Schedules } from '../schedule/schedules.ts';
import type { AppSchedules } from './app-schedules.ts';

export interface BeatOptions {
  /** What operators see it as; `%h` stands for the host name, `%p` for the process id. Default `beat@%h`. Need not be unique. */
  readonly name?: string;
  /**
   * Whose definition to keep where an operator has changed an entry that code declares, see docs/beat.md. Default that of the code for
   * what is fired and when, that of the operator for a pause.
   */
  readonly take?: Take;
  /**
   * Whether the stored entries are made those that the app declares when the beat starts. Default true; an app that never called
   * `app.schedule()` has no say in what is stored.
   */
  readonly reconcile?: boolean;
  /** Default one that writes lines of JSON to stdout. */
  readonly logger?: Logger;
}

interface BeatOf {
  readonly app: {
    readonly schedules: Pick<AppSchedules, 'reconcile'>;
    broker(): Promise<Broker>;
  };
  readonly clock: Clock;
}

const KEYS: readonly (keyof BeatOptions)[] = ['name', 'take', 'reconcile', 'logger'];
const DEFAULT_NAME = 'beat@%h';

/** @throws INVALID_OPTION, UNKNOWN_OPTION, BROKER_UNAVAILABLE */
export async function createAppBeat({ app, clock }: BeatOf, options: BeatOptions): Promise<Beat> {
  assertKnownOptions(options, KEYS, 'the beat');
  const { name = DEFAULT_NAME, take, logger = createLogger({ level: 'info', destination: 1 }).log } = options;
  if (take !== undefined) assertTake(take, 'take of the beat');
  const place = { host: hostname(), pid: process.pid };
  const identity = { ...place, id: randomUUID(), name: formatWorkerName(name, place), version: readVersion() };
  const broker = await app.broker();
  const schedules = new Schedules({ broker, clock });
  const reconcile = async (): Promise<void> => {
    logReport(logger, await app.schedules.reconcile(take === undefined ? {} : { take }));
  };
  const arm = (entry: ScheduleEntry, how: ArmOptions): Promise<number | undefined> => schedules.rearm(entry, how);
  const disarm = (entry: ScheduleEntry): Promise<void> => schedules.disarmUnchanged(entry);
  return new Beat({ broker, arm, disarm, clock, logger, identity, ...(options.reconcile !== false && { reconcile }) });
}

function logReport(logger: Logger, report: ReconcileReport): void {
  const { added, updated, removed, unchanged, differences, failed } = report;
  const counts = { added: added.length, updated: updated.length, removed: removed.length, unchanged };
  logger.info(counts, 'the entries that the app declares are stored');
  for (const [index, line] of formatDifferences(differences).entries()) {
    logger.warn({ entry: differences[index]?.name }, `an operator has changed an entry that the app declares: ${line}`);
  }
  for (const { name, error } of failed) logger.error({ entry: name, err: error }, error.message);
}

import { join } from 'node:path';
import type { GenericSchema } from 'valibot';
import { createApp } from '../../../src/engine/app/create-app.ts';
import type { JobRecord } from '../../../src/engine/core/job-record.ts';
import { PLACES } from '../../../src/engine/jobs/job-place.ts';
import { systemClock } from '../../../src/engine/runtime/system-clock.ts';
import { execute, type GateOptions } from '../../../src/ops/gate.ts';
import type { Operation } from '../../../src/ops/operation.ts';
import type { Session } from '../../../src/ops/session.ts';
import { createRunKeeper } from '../../../src/ops/undo/run-keeper.ts';
import { createStore, openWorkshop, type Workshop } from '../../engine/broker/workshop.ts';
import type { BrokerUnderTest } from '../../support/brokers.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';

/** A broker whose operations are audited and kept, as `tq` does it. */
export interface UndoableBroker extends Workshop {
  readonly session: Session;
  readonly undoDir: string;
  /** Runs an operation through the gate, and gives its result. */
  run<Schema extends GenericSchema, Result>(
    operation: Operation<Schema, Result>,
    input: object,
    options?: Partial<GateOptions>,
  ): Promise<Result>;
  /** Every job of these queues, in the order of each place. */
  readAll(...queues: string[]): Promise<JobRecord[]>;
}

const OPERATOR = { user: 'ada', host: 'box' };

export async function openUndoable(store: BrokerUnderTest, undoDir = createUndoDir()): Promise<UndoableBroker> {
  const workshop = await openWorkshop(store.name, await createStore(store));
  return { ...workshop, ...around(workshop, undoDir) };
}

export function createUndoDir(): string {
  return join(createFolderOfRun('undo'), 'undo');
}

/** The same broker, from a machine with another folder. */
export function around({ broker }: Pick<Workshop, 'broker'>, undoDir: string) {
  const session: Session = {
    ...{ clock: systemClock, undoDir, broker: async () => broker, results: async () => undefined },
    app: async () => createApp(),
  };
  const place = { dir: undoDir, maxBytes: 2 ** 30, keepMs: 7 * 86_400_000 };
  const run: UndoableBroker['run'] = async (operation, input, options) => {
    const execution = await execute(operation, input, {
      ...{ session, yes: true, auditor: { ...OPERATOR, profile: null } },
      createKeeper: (about) => createRunKeeper(session, about, { place, operator: OPERATOR, warn: () => {} }),
      ...options,
    });
    if (execution.kind === 'planned') throw new Error('it was a dry run');
    return execution.result;
  };
  const readAll = async (...queues: string[]): Promise<JobRecord[]> => {
    const records: JobRecord[] = [];
    for (const name of queues) {
      const { bulk } = broker.queue(name);
      for (const place of PLACES) {
        for await (const page of bulk.scanSummaries({ places: [place] })) {
          records.push(...(await bulk.readRecords(page.map(({ id }) => id))));
        }
      }
    }
    return records;
  };
  return { session, undoDir, run, readAll };
}

import { messageOf } from '../engine/core/errors.ts';
import { AuditLog, type AuditRecord } from './audit-log.ts';
import type { Session } from './session.ts';
import type { KeptBundle } from './undo-keeper.ts';

/** Who asks, for the audit. */
export interface Auditor {
  readonly user: string;
  readonly host: string;
  readonly profile: string | null;
}

/** What a run is, from its begin on. */
export interface RunAbout {
  readonly id: string;
  readonly operation: string;
  /** As it would be typed. */
  readonly command: string;
  /** Epoch ms. */
  readonly at: number;
  readonly planned: number;
}

export interface RunEnd {
  readonly end: 'done' | 'failed' | 'stopped';
  readonly changed: number | null;
  readonly error?: unknown;
  readonly bundle: KeptBundle | null;
}

export interface RunRecord {
  end(end: RunEnd): Promise<void>;
}

/**
 * Writes that a run has begun, and later how it ended. What is done counts for more than its record: one that cannot be written
 * is a warning and stops nothing.
 *
 * @param options.isLate the begin is not written: where the record stands is made by the run itself
 */
export async function openRunRecord(
  session: Session,
  about: RunAbout,
  { auditor, warn, isLate = false }: { auditor: Auditor; warn: (text: string) => void; isLate?: boolean },
): Promise<RunRecord> {
  const record: AuditRecord = {
    ...{ id: about.id, operation: about.operation, command: about.command, ...auditor },
    ...{ at: about.at, endedAt: null, end: 'running', planned: about.planned, changed: null },
    ...{ error: null, bundle: null, undoneBy: null },
  };
  const write = async (written: AuditRecord): Promise<void> => {
    try {
      const log = new AuditLog((await session.broker()).state);
      await log.write(written);
      if (written.end === 'running') await log.trim();
    } catch (error) {
      warn(`warning: the audit does not know of ${about.id}: ${messageOf(error)}`);
    }
  };
  if (!isLate) await write(record);
  return {
    async end({ end, changed, error, bundle }) {
      const kept = bundle === null ? null : (({ id: _, ...rest }) => rest)(bundle);
      await write({
        ...{ ...record, end, changed, bundle: kept, endedAt: session.clock.now() },
        error: error === undefined ? null : messageOf(error),
      });
    },
  };
}

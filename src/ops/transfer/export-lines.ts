import type { ScanPlace } from '../../engine/broker/bulk-port.ts';
import { WorkflowRecords } from '../../engine/canvas/workflow-records.ts';
import { RecordSlices } from '../../engine/jobs/record-slices.ts';
import { assertChoice, chooseJobs, type JobChoice } from '../job-choice.ts';
import type { Session } from '../session.ts';
import { formatJobLine, formatStateLine } from './transfer-line.ts';

/** Some lines of an export. */
export interface ExportedPage {
  /** Whole lines. */
  readonly text: string;
  readonly jobs: number;
}

/** Few enough that a slice and its lines die young in the heap; nothing is synced in between, so small slices cost little. */
const WRITTEN_AT_ONCE = 64;

export interface ExportOptions {
  /** The words of the command after `tq`. */
  readonly command: string;
  /** Which jobs it is about. */
  readonly places: readonly ScanPlace[];
  readonly signal?: AbortSignal | undefined;
  /** Is told which of the named jobs are left out, and why. */
  readonly onLeftOut: (id: string, reason: 'unknown' | 'elsewhere') => void;
}

/**
 * The lines of the chosen jobs, page by page, the records of their workflows before them. Nothing is read before it is asked for, and
 * no more than a page is held. A job that goes while it is read is left out; one that moves on may be recorded before or after that.
 *
 * @throws USAGE, AMBIGUOUS_JOB, INVALID_QUERY
 */
export async function* exportLines(
  session: Session,
  choice: JobChoice,
  { command, places, signal, onLeftOut }: ExportOptions,
): AsyncGenerator<ExportedPage, void, void> {
  assertChoice(command, choice);
  const broker = await session.broker();
  const workflows = new WorkflowRecords(broker.state);
  const slices = new RecordSlices(WRITTEN_AT_ONCE);
  const pages = chooseJobs(session, choice, { places, signal }, (id) => onLeftOut(id, 'unknown'));
  for await (const { queue, jobs } of pages) {
    const { bulk } = broker.queue(queue);
    const ids = jobs.map(({ id }) => id);
    for await (const records of slices.read(bulk, ids)) {
      if (signal?.aborted === true) return;
      const chosen = records.filter(({ place }) => places.includes(place));
      for (const { id, place } of records) {
        if (choice.ids !== undefined && !places.includes(place)) onLeftOut(id, 'elsewhere');
      }
      for await (const entries of workflows.of(chosen)) yield { text: entries.map(formatStateLine).join(''), jobs: 0 };
      if (chosen.length > 0) yield { text: chosen.map(formatJobLine).join(''), jobs: chosen.length };
    }
  }
}

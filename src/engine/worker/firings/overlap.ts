/**
 * Whether a firing may run while an earlier one of its entry has not ended (`overlap` of the entry).
 *
 * The run record of the entry names the firing that runs. A firing that may start puts itself there in place of what it has read, so of
 * two that are taken at the same moment one does, and the other looks again. What the record says is checked with the job itself: a
 * worker that dies writes no end.
 *
 * What that costs: a firing that comes after a later one has run leaves the record as it is, so the next one does not see that it runs.
 */
import type { Broker, TakenJob } from '../../broker/port.ts';
import { locateJobs } from '../../control/locate-jobs.ts';
import type { RevokeReport, RevokeRequest } from '../../control/revoke-jobs.ts';
import { formatInstant } from '../../core/instant.ts';
import type { Outcome } from '../../core/job.ts';
import type { RevokedJob } from '../../core/revocation.ts';
import type { Firing, FiringMark } from '../../core/schedule/firing.ts';
import type { RunRecord, RunRecords } from '../../schedule/run-record.ts';

export interface OverlapOptions {
  readonly broker: Pick<Broker, 'queue' | 'listQueues'>;
  readonly records: RunRecords;
  /** As `tq control revoke` does it. */
  readonly revoke: (request: RevokeRequest) => Promise<RevokeReport>;
  /** Hears what became of a firing that had to make way. */
  readonly onReplaced: (replaced: RevokedJob) => void;
}

interface Starting {
  readonly job: TakenJob;
  readonly firing: Firing;
  readonly overlap: NonNullable<FiringMark['overlap']>;
  /** What is recorded when it starts. */
  readonly record: RunRecord;
}

/**
 * @returns how the firing ends unrun; undefined when it may start, which is recorded then
 * @throws what the broker throws
 */
export async function claimRun(options: OverlapOptions, starting: Starting): Promise<Outcome | undefined> {
  const { records } = options;
  const { job, firing, overlap, record } = starting;
  const { entry, dueAt } = firing;
  for (;;) {
    const { record: other, version } = await records.readVersion(entry);
    const isOther = other !== undefined && other.jobId !== job.id;
    const isBusy = isOther && (await isUnfinished(options, other, job.queue));
    if (isBusy && (overlap === 'skip' || other.dueAt > dueAt)) return skippedOutcome(other, dueAt);
    if (isBusy) await makeWay(options, firing, other, job.queue);
    if (isOther && other.dueAt > dueAt) return undefined;
    if (await records.replace(entry, record, version)) return undefined;
  }
}

/**
 * Records a firing by hand, which runs beside others: one that has not ended stays the latest, for the next firing to see.
 *
 * @throws what the broker throws
 */
export async function recordBeside(records: RunRecords, entry: string, record: RunRecord): Promise<void> {
  for (;;) {
    const { record: other, version } = await records.readVersion(entry);
    const isOther = other !== undefined && other.jobId !== record.jobId;
    if (isOther && (other.finishedAt === null || other.dueAt > record.dueAt)) return;
    if (await records.replace(entry, record, version)) return;
  }
}

/** One that was revoked and waits will not run. */
async function isUnfinished({ broker }: OverlapOptions, other: RunRecord, queue: string): Promise<boolean> {
  if (other.finishedAt !== null) return false;
  const brief = (await locateJobs(broker, [other.jobId], { likelyQueues: [queue] })).get(other.jobId);
  if (brief === undefined || brief.phase === 'finished') return false;
  return brief.phase === 'active' || brief.revoked === undefined;
}

function skippedOutcome(other: RunRecord, dueAt: number): Outcome {
  const which = other.dueAt > dueAt ? 'a later firing, that' : 'the firing';
  const reason = `skipped: ${which} of ${formatInstant(other.dueAt)} is still running`;
  return { kind: 'ended', state: 'IGNORED', reason };
}

async function makeWay(
  { revoke, onReplaced }: OverlapOptions,
  { entry, dueAt }: Firing,
  { jobId }: RunRecord,
  queue: string,
): Promise<void> {
  const by = `the firing of ${formatInstant(dueAt)} of entry "${entry}", which replaces it`;
  const { jobs } = await revoke({ ids: [jobId], likelyQueues: [queue], terminate: true, by });
  for (const job of jobs) onReplaced(job);
}

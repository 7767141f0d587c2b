import type { Run } from './journal.ts';

/** What happened to the broker: from when to when it was away. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export interface Incidents {
  /** When workers were killed, by name. */
  readonly killed: ReadonlyMap<string, number>;
  readonly outages: readonly Outage[];
}

/** For so long after its end, the outcome of a run may still have been on its way to the store. */
const ON_ITS_WAY_MS = 2000;

/** The jobs that ran to no end, and those that ran again although nothing had happened to their earlier runs. */
export function account(
  sent: Iterable<string>,
  runs: ReadonlyMap<string, readonly Run[]>,
  incidents: Incidents,
): { readonly lost: string[]; readonly unexcused: string[] } {
  const lost: string[] = [];
  const unexcused: string[] = [];
  for (const id of sent) {
    const ofJob = runs.get(id) ?? [];
    if (!ofJob.some(({ endedAt }) => endedAt !== undefined)) lost.push(id);
    const odd = ofJob.slice(0, -1).find((run) => !isExcused(run, incidents));
    if (odd !== undefined) unexcused.push(`${id}: ${JSON.stringify(ofJob)}`);
  }
  return { lost, unexcused };
}

/** Whether something was killed while this run was under way, or its outcome was. */
function isExcused(run: Run, { killed, outages }: Incidents): boolean {
  const until = (run.endedAt ?? Number.POSITIVE_INFINITY) + ON_ITS_WAY_MS;
  const killedAt = killed.get(run.worker);
  if (killedAt !== undefined && killedAt <= until) return true;
  return outages.some(({ from, to }) => run.startedAt <= to && from <= until);
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface JournalLine {
  readonly word: 'start' | 'end';
  readonly id: string;
  readonly worker: string;
  /** Epoch ms. */
  readonly at: number;
}

/** One run of a job. */
export interface Run {
  readonly worker: string;
  readonly startedAt: number;
  /** Undefined when its process came to no end of it. */
  endedAt: number | undefined;
}

export function formatRun({ word, id, worker, at }: JournalLine): string {
  return `${word} ${id} ${worker} ${at}`;
}

/** Every run of every job that the processes have written down, in the order of their starts. */
export function readRuns(folder: string): Map<string, Run[]> {
  const runs = new Map<string, Run[]>();
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.journal'))) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) note(runs, line);
  }
  for (const ofJob of runs.values()) ofJob.sort((a, b) => a.startedAt - b.startedAt);
  return runs;
}

/** A line that was cut by the death of its process is none. */
function note(runs: Map<string, Run[]>, line: string): void {
  const [word, id, worker, at] = line.split(' ');
  if (id === undefined || worker === undefined || at === undefined) return;
  const ofJob = runs.get(id) ?? [];
  runs.set(id, ofJob);
  if (word === 'start') ofJob.push({ worker, startedAt: Number(at), endedAt: undefined });
  const open = ofJob.findLast((run) => run.worker === worker && run.endedAt === undefined);
  if (word === 'end' && open !== undefined) open.endedAt = Number(at);
}

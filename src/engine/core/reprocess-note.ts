/** That a dead letter went back to work, as its log says it. */
export interface ReprocessNote {
  /** Epoch ms. */
  readonly at: number;
  /** The run that did it: `tq audit` knows it. */
  readonly by: string;
}

/** @param what what the job had come to: `had died after 2 attempts: Error: no` */
export function formatReprocessNote({ at, by }: ReprocessNote, what: string): string {
  return `reprocessed at ${new Date(at).toISOString()} by ${by}; ${what}`;
}

/** @returns undefined for another row of the log */
export function parseReprocessNote(row: string): ReprocessNote | undefined {
  const [, instant = '', by = ''] = /^reprocessed at (\S+) by (\S+); /.exec(row) ?? [];
  const at = Date.parse(instant);
  return Number.isNaN(at) ? undefined : { at, by };
}

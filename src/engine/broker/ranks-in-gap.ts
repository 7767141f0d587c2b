/**
 * Ranks for jobs that are put between others. A store's own numbers grow at the end and shrink at the head; what comes back later
 * goes in between, page after page, so each page takes only a small part of the room.
 */
export interface Gap {
  /** The rank of the job before; undefined when there is none. */
  readonly after: number | undefined;
  /** The rank of the job behind. */
  readonly before: number;
}

/** Before the first job, so much room is left to it: enough for a million jobs that come back in pages. */
const ROOM = 2 ** 30;
/** A page takes at most one of so many parts of a gap for each of its jobs, so that it takes less than a hundredth of it. */
const PARTS = 65_536;

/**
 * @param whole ranks are whole numbers
 * @returns so many ranks of the gap, lowest first; some are alike where the gap has no room for more
 */
export function ranksInGap({ after, before }: Gap, count: number, { whole }: { readonly whole: boolean }): number[] {
  const first = after ?? before - ROOM;
  const room = before - first;
  const widest = room / (count + 1);
  const step = whole ? Math.min(1, widest) : Math.min(1, room / PARTS);
  const ranks = Array.from({ length: count }, (_, index) => first + (index + 1) * step);
  return whole ? ranks.map(Math.floor) : ranks;
}

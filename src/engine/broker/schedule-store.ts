/** What the stores do with job schedulers that BullMQ's backends cannot: each call is one step that nobody comes between. */
export interface ScheduleStore {
  /** In the order of the ids; null for one that is not there. */
  read(queue: string, ids: readonly string[]): Promise<(SchedulerRecord | null)[]>;
  /**
   * Puts a firing ahead of its scheduler.
   *
   * - `put`: it is the firing ahead now.
   * - `taken`: there is a job of its id, in whatever state. Nothing was changed.
   * - `moved`: another firing is ahead than was expected, or it is to be replaced and does not lie there any more. Nothing was changed.
   */
  put(queue: string, firing: NextFiring, now: number): Promise<'put' | 'taken' | 'moved'>;
  /** Removes a scheduler, and the firing that it has ahead if that is scheduled and not due. @returns whether there was one */
  remove(queue: string, id: string, now: number): Promise<boolean>;
}

/** A scheduler as BullMQ keeps it; the values are texts. */
export interface SchedulerRecord {
  /** Of the firing ahead, epoch ms. */
  readonly dueAt: number;
  /** BullMQ's state of that job; null when it is not there. */
  readonly state: string | null;
  readonly name: string;
  /** How many firings it has had, the one ahead included. */
  readonly made: number;
  readonly pattern: string | null;
  readonly every: string | null;
  /** The options of its jobs, JSON. */
  readonly opts: string | null;
}

export interface NextFiring {
  /** Of the scheduler. */
  readonly id: string;
  /** The due time of the firing that is ahead, epoch ms; null: there is no such scheduler. */
  readonly from: number | null;
  readonly to: number;
  /** How many firings the scheduler will have had, this one included. */
  readonly made: number;
  /** Takes away the firing at `from`, which must be scheduled or missing. */
  readonly replaces: boolean;
  /** BullMQ's options of the job. */
  readonly opts: Readonly<Record<string, unknown>>;
  /** BullMQ's priority, 0 for none. */
  readonly priority: number;
  /** What the scheduler makes its jobs of from now on; without it, what it has. */
  readonly template?: SchedulerTemplate;
}

export interface SchedulerTemplate {
  /** Of the task. */
  readonly name: string;
  readonly pattern: string;
  readonly tz: string;
  /** JSON. */
  readonly data: string;
  readonly opts: Readonly<Record<string, unknown>>;
}

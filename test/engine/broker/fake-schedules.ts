import type { ArmedFiring, QueueSchedules, SchedulerState } from '../../../src/engine/broker/schedule-port.ts';

/** The job schedulers of a queue in memory. They make no jobs; the firing ahead is scheduled, or where the test puts it. */
export class FakeSchedules implements QueueSchedules {
  /** What was armed last, by id. */
  readonly armed = new Map<string, ArmedFiring>();
  readonly states = new Map<string, SchedulerState>();
  /** Throws what the broker fails with. */
  readonly #assertUp: () => void;

  constructor(assertUp: () => void = () => {}) {
    this.#assertUp = assertUp;
  }

  async arm(firing: ArmedFiring): Promise<boolean> {
    this.#assertUp();
    const { id, dueAt, rule, runsBefore, job } = firing;
    const before = this.states.get(id);
    const isOpen = before?.ahead === 'scheduled' || before?.ahead === 'missing';
    if (before !== undefined && !isOpen && before.dueAt === dueAt) return false;
    const made = before === undefined ? 1 : before.made + (isOpen ? 0 : 1);
    this.armed.set(id, firing);
    this.states.set(id, { id, dueAt, ahead: 'scheduled', made, runsBefore, rule, task: job.task, text: null });
    return true;
  }

  async advance(id: string, from: number, to: number): Promise<boolean> {
    this.#assertUp();
    const state = this.states.get(id);
    if (state?.rule === undefined || state.dueAt !== from) return false;
    this.states.set(id, { ...state, dueAt: to, ahead: 'scheduled', made: state.made + 1 });
    return true;
  }

  async remove(id: string): Promise<boolean> {
    this.#assertUp();
    this.armed.delete(id);
    return this.states.delete(id);
  }

  async read(ids: readonly string[]): Promise<(SchedulerState | undefined)[]> {
    this.#assertUp();
    return ids.map((id) => this.states.get(id));
  }

  async list(offset: number, limit: number): Promise<{ id: string; dueAt: number }[]> {
    this.#assertUp();
    const sorted = [...this.states.values()].sort((a, b) => a.dueAt - b.dueAt || (a.id < b.id ? -1 : 1));
    return sorted.slice(offset, offset + limit).map(({ id, dueAt }) => ({ id, dueAt }));
  }

  async size(): Promise<number> {
    this.#assertUp();
    return this.states.size;
  }

  /** Says where the firing ahead is. */
  put(id: string, change: Partial<SchedulerState>): void {
    const state = this.states.get(id);
    if (state !== undefined) this.states.set(id, { ...state, ...change });
  }
}

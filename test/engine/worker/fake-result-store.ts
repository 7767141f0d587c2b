import type {
  NewResultRow,
  Purge,
  ResultRow,
  ResultStore,
} from '../../../src/engine/broker/result-store/result-port.ts';
import { toRecord, toRow } from '../../../src/engine/broker/result-store/result-tables.ts';

/** A result store in memory, which fails and waits as the test says. The real ones have their own contract. */
export class FakeResultStore implements ResultStore {
  readonly kind = 'postgres';
  readonly url = 'postgres://tq:***@box/results';
  readonly rows = new Map<string, NewResultRow>();
  /** The ids of each write, those that failed too. */
  readonly writes: string[][] = [];
  readonly purges: Purge[] = [];
  /** Is called with each write before it is done; what it throws is what the write throws. */
  onWrite: (rows: readonly NewResultRow[]) => void | Promise<void> = () => {};
  onPurge: (options: Purge) => number | Promise<number> = () => 0;
  closed = false;

  async write(rows: readonly NewResultRow[]): Promise<void> {
    this.writes.push(rows.map(({ id }) => id));
    await this.onWrite(rows);
    for (const row of rows) this.rows.set(row.id, row);
  }

  async read(id: string, _queue?: string): Promise<ResultRow[]> {
    const row = this.rows.get(id);
    return row === undefined ? [] : [toRow(toRecord(row))];
  }

  async listPage({ limit, after }: Parameters<ResultStore['listPage']>[0]): Promise<ResultRow[]> {
    const rows = [...this.rows.values()].map((row) => toRow(toRecord(row)));
    const from = after === undefined ? 0 : rows.findIndex(({ id }) => id === after.id) + 1;
    return rows.slice(from, from + limit);
  }

  async remove(id: string): Promise<number> {
    return this.rows.delete(id) ? 1 : 0;
  }

  async purge(options: Purge): Promise<number> {
    this.purges.push(options);
    return await this.onPurge(options);
  }

  async migrate() {
    return { from: null, to: 2 };
  }

  async describe(): Promise<string> {
    return 'a double';
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

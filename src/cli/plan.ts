import type { Plan } from '../ops/operation.ts';
import { type Column, line, type Presentation, table } from './presentation.ts';

/** What a dry run shows, of every operation alike. */
export function presentPlan(operation: string, { summary, count, rows }: Plan): Presentation {
  const columns = Object.keys(rows[0] ?? {}).map(
    (key): Column => ({ key, title: key.toUpperCase(), as: typeof rows[0]?.[key] === 'number' ? 'number' : 'text' }),
  );
  return {
    json: { dryRun: true, operation, summary, count, rows },
    blocks: [line(summary), ...(rows.length === 0 ? [] : [table(columns, rows, '')])],
  };
}

import type { UndoRow } from '../../ops/list-undo.ts';
import type { Undone } from '../../ops/undo-operation.ts';
import { type Command, defineCommand, type Values } from '../command.ts';
import { readText } from '../option-values.ts';
import { sharedOptions } from '../options.ts';
import { type Column, type Presentation, sheet, table } from '../presentation.ts';

export const undo: Command = defineCommand({
  name: 'undo',
  summary: 'Put back what an operation removed or changed, or list what can be',
  details: [
    'OP is the id that the operation printed. A job that is gone is put back; one that the operation changed is changed back, if nobody',
    'has touched it since. What cannot be restored is named, with the reason. An undo can be undone. Without OP it lists what can be.',
  ].join('\n'),
  arguments: [{ name: '[op]', summary: 'id of the run that is to be undone' }],
  options: [
    {
      flags: '--force',
      summary: 'also on a broker of another name, once more, and jobs that are gone and may have run',
    },
    sharedOptions.noUndo,
  ],
  examples: [
    { command: 'tq undo', does: 'list what can be undone' },
    { command: 'tq undo mhy2k9x1-04af --dry-run', does: 'see what would be put back' },
    { command: 'tq undo mhy2k9x1-04af', does: 'put it back' },
  ],
  json: ['undone', 'matched', 'restored', 'failed', 'failedCount', 'reasons', 'isCut', 'undo'],
  operation: async (asked) =>
    isListing(asked?.input)
      ? (await import('../../ops/list-undo.ts')).listUndo
      : ((await import('../../ops/undo-operation.ts')).undoOperation as never),
  toInput({ arguments: [id], options }: Values<{ force?: boolean }>): object {
    const op = readText(id, 'OP');
    return op === undefined ? {} : { id: op, force: options.force };
  },
  present: (result: unknown) =>
    Array.isArray(result) ? presentList(result as UndoRow[]) : presentUndone(result as Undone),
});

const FAILED_COLUMNS: readonly Column[] = [
  { key: 'id', title: 'ID', as: 'text' },
  { key: 'message', title: 'WHY', as: 'text', shrinks: true },
];

function isListing(input: unknown): boolean {
  return typeof input !== 'object' || input === null || !('id' in input);
}

function presentList(rows: readonly UndoRow[]): Presentation {
  return {
    json: rows,
    blocks: [
      table(
        [
          { key: 'id', title: 'ID', as: 'text' },
          { key: 'at', title: 'WHEN', as: 'instant' },
          { key: 'user', title: 'USER', as: 'text' },
          { key: 'host', title: 'HOST', as: 'text' },
          { key: 'command', title: 'COMMAND', as: 'text', shrinks: true },
          { key: 'jobs', title: 'JOBS', as: 'number' },
          { key: 'here', title: 'HERE', as: 'flag' },
          { key: 'undoneBy', title: 'UNDONE BY', as: 'text' },
        ],
        rows,
        'there is nothing to undo',
      ),
    ],
  };
}

function presentUndone(undone: Undone): Presentation {
  const { restored, matched, failed, failedCount, reasons, isCut } = undone;
  const more = failedCount - failed.length;
  return {
    json: undone,
    blocks: [
      sheet([
        { title: 'undone', as: 'text', value: undone.undone },
        { title: 'restored', as: 'number', value: restored },
        { title: 'matched', as: 'number', value: matched },
      ]),
      table(
        [
          { key: 'reason', title: 'REASON', as: 'text', shrinks: true },
          { key: 'jobs', title: 'JOBS', as: 'number' },
        ],
        Object.entries(reasons).map(([reason, jobs]) => ({ reason, jobs })),
        'every job was restored',
      ),
      ...(failed.length === 0 ? [] : [table(FAILED_COLUMNS, failed, '')]),
    ],
    problems: [
      ...(more > 0 ? [`${more} more are not named`] : []),
      ...(isCut ? ['the bundle has no end: what was kept last may be missing from it, and was then not changed'] : []),
    ],
    exitCode: failedCount > 0 ? 1 : 0,
  };
}

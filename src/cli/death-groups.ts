import { escapeControl } from '../engine/core/escape.ts';
import type { DeathGroup } from '../engine/deadletter/death-groups.ts';
import { formatExact, formatReadable } from './cell.ts';
import type { Block, CellKind } from './presentation.ts';

const COLUMNS = [
  ...([
    ['fingerprint', 'text'],
    ['error', 'text'],
    ['task', 'text'],
    ['queue', 'text'],
  ] as const),
  ...([
    ['count', 'number'],
    ['firstAt', 'instant'],
    ['lastAt', 'instant'],
    ['sample', 'text'],
  ] as const),
] satisfies (readonly [keyof DeathGroup, CellKind])[];

/** Two lines a group on a terminal, where no table of them fits: how many of what where and when, then the error; in a pipe one each. */
export function deathGroups(groups: readonly DeathGroup[]): Block {
  return {
    kind: 'drawn',
    draw({ isTerminal, paint, now }) {
      if (!isTerminal) {
        return groups
          .map((group) => `${COLUMNS.map(([key, as]) => formatExact(group[key], as)).join('\t')}\n`)
          .join('');
      }
      const width = Math.max(0, ...groups.map(({ count }) => String(count).length));
      const indent = ' '.repeat(width + 2);
      return groups
        .map(({ count, fingerprint, task, queue, firstAt, lastAt, error, sample }) => {
          const what = task === null ? '' : `  ${escapeControl(task)} in ${escapeControl(queue ?? '')}`;
          const first = formatReadable(firstAt, 'instant', now);
          const last = formatReadable(lastAt, 'instant', now);
          const when = paint('faint', first === last ? last : `${first} to ${last}`);
          const example = sample === null ? '' : `${indent}${paint('faint', `tq dlq show ${escapeControl(sample)}`)}\n`;
          const head = `${paint('title', String(count).padStart(width))}  ${fingerprint}${what}  ${when}\n`;
          return `${head}${indent}${paint('bad', escapeControl(error))}\n${example}`;
        })
        .join('');
    },
  };
}

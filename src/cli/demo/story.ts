import type { Tone } from '../paint.ts';
import { line, type Presentation, row } from '../presentation.ts';

/** Something that happens in the demo. */
export interface StoryEvent {
  readonly event: 'started' | 'scene' | 'called' | 'scheduled' | 'succeeded' | 'retry' | 'dead' | 'stopped';
  /** In words, for people and for `--json`. */
  readonly message: string;
  readonly id?: string;
  readonly task?: string;
  readonly queue?: string;
  /** The schedule entry that the job is a firing of. */
  readonly entry?: string;
  readonly attempt?: number;
  readonly priority?: number;
  /** Epoch milliseconds. */
  readonly dueAt?: number;
  readonly broker?: string;
}

/** The fields of every line of `--json`. */
export const STORY_FIELDS = [
  'at',
  'event',
  'message',
  'id',
  'task',
  'queue',
  'entry',
  'attempt',
  'priority',
  'dueAt',
  'broker',
] as const;

export type Tell = (event: StoryEvent) => void;

/**
 * An event as the output policy wants it: a line with the time since the beginning, the job and what became of it.
 *
 * @param at epoch milliseconds
 * @param sinceMs since the demo began
 */
export function presentEvent(told: StoryEvent, at: number, sinceMs: number): Pick<Presentation, 'json' | 'blocks'> {
  const { event, message, id, entry } = told;
  const values: Readonly<Record<string, unknown>> = { at, ...told };
  const json = Object.fromEntries(STORY_FIELDS.map((field) => [field, values[field] ?? null]));
  if (event === 'scene') return { json, blocks: [line(''), line(message, 'title')] };
  if (event === 'stopped') return { json, blocks: [line(''), line(message)] };
  if (id === undefined) return { json, blocks: [line(message)] };
  const time = `${(sinceMs / 1000).toFixed(1)}s`;
  const cells = row(
    { text: time, tone: 'faint', width: -TIME_WIDTH },
    { text: entry ?? id, tone: 'plain', width: ID_WIDTH },
    { text: message, tone: TONES[event] ?? 'plain' },
  );
  return { json, blocks: [cells] };
}

const TIME_WIDTH = 7;
const ID_WIDTH = 12;

const TONES: { readonly [Event in StoryEvent['event']]?: Tone } = {
  scheduled: 'waiting',
  succeeded: 'good',
  retry: 'waiting',
  dead: 'bad',
};

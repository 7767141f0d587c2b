import { formatDuration } from '../engine/core/duration.ts';
import { formatProgress } from '../engine/core/progress.ts';
import type { Event, EventType } from '../engine/events/event.ts';
import type { Tone } from './paint.ts';
import { type Presentation, row } from './presentation.ts';

const TONES: Readonly<Record<EventType, Tone>> = {
  sent: 'plain',
  received: 'faint',
  started: 'busy',
  progress: 'busy',
  succeeded: 'good',
  retried: 'waiting',
  failed: 'bad',
  dead: 'bad',
  revoked: 'waiting',
  ignored: 'waiting',
  'worker-online': 'good',
  'worker-offline': 'waiting',
};

const TIME_WIDTH = 12;
const TYPE_WIDTH = 14;
/** Of a UUID. */
const ID_WIDTH = 36;
const TASK_WIDTH = 20;
const QUEUE_WIDTH = 10;

/** An event as the output policy wants it: when, what, of which job or worker, and what there is to say about it. */
export function presentEvent(event: Event): Pick<Presentation, 'json' | 'blocks'> {
  const { type, at, id, task, queue } = event;
  const tone = TONES[type];
  const cells = row(
    { text: formatTime(at), exact: new Date(at).toISOString(), tone: 'faint', width: TIME_WIDTH },
    { text: type, tone, width: TYPE_WIDTH },
    cell(id, 'plain', ID_WIDTH),
    cell(task, 'plain', TASK_WIDTH),
    cell(queue, 'plain', QUEUE_WIDTH),
    { text: describe(event), tone: tone === 'bad' ? 'bad' : 'faint' },
  );
  return { json: event, blocks: [cells] };
}

function cell(text: string | null, tone: Tone, width: number) {
  return { text: text ?? '-', exact: text ?? '', tone, width };
}

/** Local time of day: a stream is read as it happens. */
function formatTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function describe(event: Event): string {
  const { worker, attempt, durationMs, delayMs, error, reason, progress, host, pid, type } = event;
  const facts = [
    worker,
    type === 'worker-online' || type === 'worker-offline' ? `process ${pid} on ${host}` : null,
    attempt !== null && (attempt > 1 || type === 'retried') ? `attempt ${attempt}` : null,
    type === 'progress' ? (formatProgress(progress) ?? JSON.stringify(progress)) : null,
    durationMs === null ? null : `after ${formatDuration(durationMs)}`,
    delayMs === null
      ? null
      : delayMs === 0
        ? 'again at once'
        : `${type === 'sent' ? 'due' : 'again'} in ${formatDuration(delayMs)}`,
    error,
    reason,
  ];
  return facts.filter((fact) => fact !== null).join(', ');
}

import { parseDuration } from '../../engine/core/duration.ts';
import { createError } from '../../engine/core/errors.ts';
import { untilAborted } from '../../engine/core/until-aborted.ts';
import { EVENT_KEYS, type Event } from '../../engine/events/event.ts';
import { parseEventQuery } from '../../engine/events/event-query.ts';
import { type CommandContext, defineStream, type Values } from '../command.ts';
import { presentEvent } from '../event-line.ts';
import { isIsoDate, readText } from '../option-values.ts';
import { sharedOptions } from '../options.ts';

interface Input {
  readonly where: string | undefined;
  readonly since: Since | undefined;
}

/** So long ago, or at an instant. */
type Since = { readonly agoMs: number } | { readonly at: number };

export const events = defineStream({
  name: 'events',
  summary: 'Tell what happens to jobs and workers, as it happens',
  details: [
    'Reads the event logs that the broker keeps of every queue, also of those that other BullMQ applications use; workers and',
    'producers do nothing for it. Ends with Ctrl-C. The logs hold about the last 10,000 events of a queue.',
  ].join('\n'),
  options: [
    sharedOptions.where,
    { flags: '--since <time>', summary: 'begin in the past: a duration such as 10m, or an ISO 8601 date' },
  ],
  examples: [
    { command: 'tq events', does: 'everything, until Ctrl-C' },
    { command: "tq events --where 'type:dead OR type:retried'", does: 'only what goes wrong' },
    {
      command: "tq events --since 10m --where 'task:email.* duration>1s'",
      does: 'slow e-mails of the last ten minutes, and on',
    },
    { command: 'tq events --json', does: 'one JSON object a line, for scripts' },
  ],
  json: [...EVENT_KEYS],
  toInput({ options }: Values<{ where?: string; since?: string }>): Input {
    const where = readText(options.where, '--where');
    // Its mistakes are found here, before anything is opened.
    if (where !== undefined) parseEventQuery(where);
    return {
      where,
      since: options.since === undefined ? undefined : readSince(options.since),
    };
  },
  listen: tellEvents,
  present: presentEvent,
});

async function* tellEvents(
  { where, since }: Input,
  { session, output, host, settings }: CommandContext,
  signal: AbortSignal,
): AsyncGenerator<Event, void, void> {
  const { streamEvents } = await import('../../engine/events/event-stream.ts');
  const broker = await untilAborted(session.broker(), signal);
  if (broker === undefined) return;
  const isWatched = host.streams.stdout.isTTY === true && !settings.json;
  yield* streamEvents(broker, session.clock, {
    signal,
    ...(where !== undefined && { matches: parseEventQuery(where) }),
    ...(since !== undefined && { since: 'at' in since ? since.at : session.clock.now() - since.agoMs }),
    ...(isWatched && { onListening: () => output.note('listening; Ctrl-C ends it') }),
    onTrouble: (error) => output.note(`${error.message}; waiting for it`),
    onRecovered: () => output.note('the broker answers again; going on where it was'),
  });
}

function readSince(text: string): Since {
  if (isIsoDate(text) && !Number.isNaN(Date.parse(text))) return { at: Date.parse(text) };
  try {
    return { agoMs: parseDuration(text, '--since') };
  } catch {
    throw createError('INVALID_OPTION', {
      what: '--since',
      expected: 'a duration such as 10m or 2h, or an ISO 8601 date such as 2031-05-01T12:00:00Z',
      given: JSON.stringify(text),
    });
  }
}

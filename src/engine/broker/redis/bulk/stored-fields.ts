import { optsDecodeMap, optsEncodeMap } from 'bullmq';

/** How BullMQ's Redis backend writes what a `JobRecord` holds in plain words. */

/** The hash of a job; other applications may have added fields of their own. */
export type StoredFields = Partial<
  Record<
    | 'name'
    | 'data'
    | 'opts'
    | 'timestamp'
    | 'delay'
    | 'priority'
    | 'processedOn'
    | 'finishedOn'
    | 'atm'
    | 'ats'
    | 'stc'
    | 'pb'
    | 'failedReason'
    | 'stacktrace'
    | 'returnvalue'
    | 'progress'
    | 'defa'
    | 'deid'
    | 'rjk'
    | 'parentKey'
    | 'parent',
    string
  >
>;

/** Options are stored with short names. @returns them in BullMQ's public words */
export function decodeOptions(stored: string): Record<string, unknown> {
  if (stored === '{}') return {};
  const options: Record<string, unknown> = {};
  const telemetry: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(JSON.parse(stored) as Record<string, unknown>)) {
    const word = (optsDecodeMap as Record<string, string>)[name];
    if (word !== undefined) options[word] = value;
    else if (name === 'tm') telemetry['metadata'] = value;
    else if (name === 'omc') telemetry['omitContext'] = value;
    else options[name] = value;
  }
  return { ...options, ...(Object.keys(telemetry).length > 0 && { telemetry }) };
}

export function encodeOptions(options: Readonly<Record<string, unknown>>): string {
  const stored: Record<string, unknown> = {};
  for (const [word, value] of Object.entries(options)) {
    if (word === 'telemetry') {
      const { metadata, omitContext } = (value ?? {}) as { metadata?: unknown; omitContext?: unknown };
      Object.assign(stored, { tm: metadata, omc: omitContext });
    } else {
      stored[(optsEncodeMap as Record<string, string>)[word] ?? word] = value;
    }
  }
  return JSON.stringify(stored);
}

/** A key of a job in its parts; the id of a schedule entry's job has colons of its own, a queue's name has none. */
export function splitKey(key: string, prefix: string): { readonly queue: string; readonly id: string } {
  const rest = key.startsWith(`${prefix}:`) ? key.slice(prefix.length + 1) : key;
  const colon = rest.indexOf(':');
  return { queue: rest.slice(0, colon), id: rest.slice(colon + 1) };
}

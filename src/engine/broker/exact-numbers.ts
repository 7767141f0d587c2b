import { decodeEnvelope } from '../core/envelope.ts';

/** Sixteen digits one after the other may be more than a double holds. */
const LONG = /\d{16}/;

/**
 * The numbers of a call's arguments that a double cannot hold, as they were written, by the paths that queries have for
 * them: `args.0.id`.
 *
 * @param data JSON of what the producer stored
 * @returns undefined when there are none, as almost always, and for what is no JSON
 */
export function readExactNumbers(data: string): ReadonlyMap<string, string> | undefined {
  if (!LONG.test(data)) return undefined;
  try {
    const numbers = new Map<string, string>();
    collect(decodeEnvelope(JSON.parse(data, keepSource)).args, 'args', numbers);
    return numbers.size === 0 ? undefined : numbers;
  } catch {
    return undefined;
  }
}

class Written {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** V8 tells a reviver how a number was written. */
function keepSource(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || !/^-?\d{16,}$/.test(source)) return value;
  return String(value) === source ? value : new Written(source);
}

function collect(value: unknown, path: string, numbers: Map<string, string>): void {
  if (value instanceof Written) numbers.set(path, value.text);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) collect(item, `${path}.${key}`, numbers);
  }
}

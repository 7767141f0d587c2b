import type { Workshop } from '../workshop.ts';

/** One promise of the port, as a sentence, and how to see that a store keeps it. */
export interface Rule {
  readonly title: string;
  readonly holds: (workshop: Workshop) => Promise<void>;
  /** Watches or holds the bytes between client and server, which SQLite does not have. */
  readonly overWire?: boolean;
  /** Bound of the test, when the default is too short. */
  readonly timeoutMs?: number;
}

export interface Subject {
  readonly subject: string;
  readonly rules: readonly Rule[];
}

/** A promise about the connection between a client and its server. */
export function defineWireRule(title: string, holds: Rule['holds']): Rule {
  return { title, holds, overWire: true };
}

export function defineRule(title: string, holds: Rule['holds'], timeoutMs?: number): Rule {
  return { title, holds, ...(timeoutMs !== undefined && { timeoutMs }) };
}

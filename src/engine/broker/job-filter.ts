/**
 * What a store may look for by itself while it is scanned. It need not: whoever scans compares each job again. A filter takes every
 * job that is asked for, and perhaps more.
 */
export type JobFilter =
  | { readonly kind: 'all' | 'any'; readonly filters: readonly JobFilter[] }
  | { readonly kind: 'not'; readonly filter: JobFilter }
  | { readonly kind: 'is' | 'like' | 'contains'; readonly field: TextField; readonly text: string }
  | {
      readonly kind: 'compare';
      readonly field: NumberField;
      readonly operator: '=' | '>' | '>=' | '<' | '<=';
      readonly value: number;
    };

/** `failure` is the message of the last error. */
export type TextField = 'id' | 'task' | 'failure' | 'worker';

export type NumberField = 'attemptsMade' | 'createdAt' | 'finishedAt' | 'startedAt';

/**
 * What a store may look for by itself while it is scanned. It need not: whoever scans compares each job again. A filter takes every
 * job that is asked for, and perhaps more.
 */
export type JobFilter =
  | { readonly kind: 'all' | 'any'; readonly filters: readonly JobFilter[] }
  | { readonly kind: 'not'; readonly filter: JobFilter }
  /** In `like`, `*` stands for any characters; a `?` is not asked for. */
  | { readonly kind: 'is' | 'like' | 'contains'; readonly field: TextField; readonly text: string }
  | {
      readonly kind: 'compare';
      readonly field: NumberField;
      readonly operator: '=' | '>' | '>=' | '<' | '<=';
      readonly value: number;
    };

/** `error` stands for all that the text of a job's error is made of, message and stacks; only `contains` is asked of it. */
export type TextField = 'id' | 'task' | 'error' | 'worker';

export type NumberField = 'attemptsMade' | 'createdAt' | 'finishedAt' | 'startedAt';

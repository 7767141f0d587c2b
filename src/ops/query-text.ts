import { maxLength, pipe, string } from 'valibot';

/** A query as an operation takes it; what it says is read by the operation. */
export const queryText = pipe(string(), maxLength(10_000, 'a query has at most 10000 characters'));

import * as v from 'valibot';
import { shape, text, wholeNumber } from '../input-shape.ts';

const name = v.nullable(v.string('must be a text or null'));
const instant = v.pipe(v.number('must be epoch milliseconds'), v.integer(), v.minValue(0), v.maxValue(8.64e15));
const count = wholeNumber(1, Number.MAX_SAFE_INTEGER);

/** The shape of the only argument of the task. */
export const alertInput = shape({
  id: text(200),
  rule: text(10_000),
  via: v.picklist(['webhook', 'email'], 'must be "webhook" or "email"'),
  count,
  threshold: count,
  windowMs: count,
  firstAt: instant,
  lastAt: instant,
  queue: name,
  task: name,
  fingerprint: name,
  sample: shape({
    id: v.string(),
    task: v.string(),
    queue: v.string(),
    fingerprint: v.string(),
    error: shape({ name: v.string(), message: v.string(), code: name }),
    worker: v.string(),
  }),
});

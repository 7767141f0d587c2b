import fc from 'fast-check';
import { test } from 'vitest';
import { createRedisUrl } from '../../../../support/brokers.ts';
import { createRunClock, fakeDate, releaseDate } from './clock.ts';
import { observe } from './observation.ts';
import { perform, sequences } from './operation.ts';
import { createRedisStore } from './redis-store.ts';
import { createWorld, IDLE } from './world.ts';

test('stats', { timeout: 600_000 }, async () => {
  const url = new URL(createRedisUrl());
  const base = url.searchParams.get('prefix');
  url.search = '';
  fakeDate();
  const store = createRedisStore('redis', url.href);
  const all = fc.sample(sequences(60), { numRuns: 300, seed: 5 });
  const ops = new Map<string, Record<string, number>>();
  const errors = new Map<string, number>();
  const events = new Map<string, number>();
  const bump = (m: Map<string, number>, k: string) => m.set(k, (m.get(k) ?? 0) + 1);
  let n = 0;
  let maxJobs = 0;
  for (const seq of all) {
    const clock = createRunClock();
    const world = await createWorld(store, `${base}-s${n++}`, clock);
    Error.stackTraceLimit = 0;
    for (const op of seq) {
      const out = await perform(world, op).catch((e: unknown) => e);
      world.step++;
      if (op.op === 'advance') clock.advance(op.ms);
      await store.hold(world.prefix);
      const seen = await observe(world, out, true) as any;
      const rec = ops.get(op.op) ?? { idle: 0, error: 0, ok: 0, null: 0 };
      ops.set(op.op, rec);
      if (out === IDLE) rec['idle']!++;
      else if (out instanceof Error) { rec['error']!++; bump(errors, `${op.op}: ${out.constructor.name} ${out.message.replace(/\d+|shared-\d|f-\S+|repeat\S+|job-.|tq\S+/g, '#').slice(0, 100)}`); }
      else if (out === null || out === undefined) rec['null']!++;
      else rec['ok']!++;
      for (const note of seen.notes) if (note.error) bump(errors, `NOTE ${note.error.message.replace(/\d+|shared-\d|f-\S+|repeat\S+|job-.|tq\S+/g, '#').slice(0, 100)}`); else bump(events, 'NOTE stalled');
      for (const q of seen.queues) for (const e of q.events) bump(events, `${e.event} ${e.prev ?? ''}`);
    }
    maxJobs = Math.max(maxJobs, world.jobs.length);
    Error.stackTraceLimit = 10;
    await world.close();
    await store.clear(world.prefix);
  }
  releaseDate();
  await store.close();
  console.table(Object.fromEntries(ops));
  console.log(maxJobs, [...events].sort((a, b) => b[1] - a[1]).map(([k, v]) => `${v} ${k}`).join('\n'));
  console.log([...errors].sort((a, b) => b[1] - a[1]).map(([k, v]) => `${v} ${k}`).join('\n'));
});

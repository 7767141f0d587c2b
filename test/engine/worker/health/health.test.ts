import { expect, test } from 'vitest';
import { type HealthFacts, judgeHealth } from '../../../../src/engine/worker/health/health.ts';

const FINE: HealthFacts = {
  phase: 'running',
  broker: { isUp: true, since: 1 },
  fetch: { isStuck: false, since: 2 },
  pool: { kind: 'async', slots: 4, running: 1, children: 0 },
};

test('a worker that takes jobs is live and ready', () => {
  expect(judgeHealth(FINE)).toEqual({
    live: true,
    ready: true,
    phase: 'running',
    problems: [],
    components: {
      broker: { ok: true, since: 1 },
      fetch: { ok: true, since: 2 },
      pool: { ok: true, kind: 'async', slots: 4, running: 1, children: 0 },
    },
  });
});

test.each<[string, Partial<HealthFacts>, string]>([
  ['starts', { phase: 'starting' }, 'the worker is starting'],
  ['stops', { phase: 'stopping' }, 'the worker is stopping'],
  ['has lost its broker', { broker: { isUp: false, since: 5 } }, 'the broker is away'],
  [
    'has no child',
    { pool: { kind: 'prefork', slots: 4, running: 0, children: 0 } },
    'no child process is there to run a job',
  ],
])('a worker that %s is live, but not ready', (_, facts, problem) => {
  expect(judgeHealth({ ...FINE, ...facts })).toMatchObject({ live: true, ready: false, problems: [problem] });
});

test('a worker whose fetch is stuck is not live', () => {
  const health = judgeHealth({ ...FINE, fetch: { isStuck: true, since: 7 } });
  expect(health).toMatchObject({ live: false, ready: false, components: { fetch: { ok: false, since: 7 } } });
  expect(health.problems).toEqual(['jobs wait and slots are free, but none is taken']);
});

test('children are missing while they start, which is no problem of its own', () => {
  const starting = { ...FINE, phase: 'starting', pool: { ...FINE.pool, kind: 'prefork' } } as const;
  expect(judgeHealth(starting).problems).toEqual(['the worker is starting']);
});

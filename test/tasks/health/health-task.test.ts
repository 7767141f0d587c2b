import { describe, expect, it } from 'vitest';
import type { HealthComponent, HealthReport } from '../../../src/engine/core/health/report.ts';
import { checkHealth, type HealthCheck } from '../../../src/tasks/health/check-health.ts';
import type { HealthSource, QueuePulse } from '../../../src/tasks/health/health-source.ts';
import { healthTasks } from '../../../src/tasks/health/health-task.ts';
import { type HealthOptions, parseHealthLimits } from '../../../src/tasks/health/limits.ts';
import { type Machine, thisMachine } from '../../../src/tasks/health/machine.ts';
import { createTestEnvironment, InputFault, runTask } from '../task-context.ts';

const GIB = 1024 ** 3;
const MINUTE = 60_000;

const wellMachine: Machine = {
  temporaryFolder: '/tmp',
  readDisk: async () => ({ freeBytes: 40 * GIB, totalBytes: 100 * GIB }),
  readMemory: () => ({
    ...{ processBytes: GIB / 8, heapUsedBytes: 10, heapLimitBytes: 100 },
    ...{ freeBytes: 6 * GIB, totalBytes: 16 * GIB },
  }),
};

function createSource(changes: Partial<HealthSource> = {}): HealthSource {
  return {
    ping: async () => ({ url: 'redis://box', store: 'Redis 7.0.15', latencyMs: 1.26, folder: null }),
    listQueues: async () => [queue()],
    listWorkers: async () => ({ workers: [{ name: 'tq@a', problems: [] }], silent: [] }),
    ...changes,
  };
}

function queue(changes: Partial<QueuePulse> = {}): QueuePulse {
  return { queue: 'mail', waiting: 0, dead: 0, paused: false, consumers: 1, oldestWaitingMs: null, ...changes };
}

interface Given {
  readonly source?: Partial<HealthSource>;
  readonly machine?: Partial<Machine>;
  readonly limits?: HealthOptions;
  readonly only?: HealthCheck['only'];
}

function check({ source, machine, limits, only }: Given = {}): Promise<HealthReport> {
  return checkHealth({
    ...{ source: createSource(source), limits: parseHealthLimits(limits), cwd: '/app', only },
    machine: { ...wellMachine, ...machine },
  });
}

async function componentOf(name: string, given: Given): Promise<HealthComponent> {
  const { components } = await check(given);
  return components.find((component) => component.name === name) as HealthComponent;
}

describe('the report', () => {
  it('has every component in a fixed order, each with flat figures of fixed names', async () => {
    const { status, components } = await check();
    expect(status).toBe('ok');
    expect(Object.fromEntries(components.map(({ name, ...rest }) => [name, Object.keys(rest)]))).toEqual({
      broker: ['status', 'message', 'answers', 'latencyMs', 'url', 'store'],
      queues: ['status', 'message', 'queues', 'waiting', 'dead', 'oldestWaitingMs', 'unserved', 'paused'],
      workers: ['status', 'message', 'live', 'ready', 'silent', 'notReady'],
      disk: ['status', 'message', 'path', 'freeBytes', 'totalBytes'],
      memory: ['status', 'message', 'freeBytes', 'totalBytes', 'processBytes', 'heapUsedBytes', 'heapLimitBytes'],
    });
    expect(JSON.parse(JSON.stringify(components))).toEqual(components);
  });

  it('has the worst status of its components', async () => {
    const silent = { listWorkers: async () => ({ workers: [], silent: ['tq@a'] }) };
    expect((await check({ source: silent })).status).toBe('degraded');
    const full = { readDisk: async () => ({ freeBytes: 1, totalBytes: GIB }) };
    expect((await check({ source: silent, machine: full })).status).toBe('failed');
  });

  it('looks at the chosen components alone, and asks nobody for the others', async () => {
    const asked: string[] = [];
    const source = { ping: async () => Promise.reject(new Error(`asked ${asked.push('broker')}`)) };
    expect((await check({ source, only: ['memory', 'disk'] })).components.map(({ name }) => name)).toEqual([
      'disk',
      'memory',
    ]);
    expect(asked).toEqual([]);
  });
});

describe('the broker', () => {
  it('answers, and is degraded when that takes long', async () => {
    expect(await componentOf('broker', {})).toMatchObject({ status: 'ok', answers: true, latencyMs: 1.3 });
    expect(await componentOf('broker', { limits: { slowBroker: '1ms' } })).toMatchObject({ status: 'degraded' });
  });

  it('has failed when it does not answer, and the machine is looked at all the same', async () => {
    const source = { ping: async () => Promise.reject(new Error('connect ECONNREFUSED')) };
    const { status, components } = await check({ source });
    expect(status).toBe('failed');
    expect(components).toMatchObject([
      { name: 'broker', answers: false, message: 'the broker does not answer: connect ECONNREFUSED' },
      { name: 'queues', status: 'failed', message: 'not known: the broker does not answer' },
      { name: 'workers', status: 'failed' },
      { name: 'disk', status: 'ok' },
      { name: 'memory', status: 'ok' },
    ]);
  });

  it('has failed when it keeps the question', async () => {
    const source = { ping: () => new Promise<never>(() => {}) };
    const component = await componentOf('broker', { source, limits: { timeout: 20 } });
    expect(component).toMatchObject({ status: 'failed', answers: false });
    expect(component.message).toContain('no answer within 20 ms');
  });

  it('that goes away in between makes what could not be asked a failure', async () => {
    const gone = async () => Promise.reject(new Error('gone'));
    const { components } = await check({ source: { listQueues: gone, listWorkers: gone } });
    expect(components).toMatchObject([
      { name: 'broker', status: 'ok' },
      { name: 'queues', status: 'failed', message: 'not known: gone' },
      { name: 'workers', status: 'failed', message: 'not known: gone' },
      {},
      {},
    ]);
  });
});

describe('the queues', () => {
  const queues = (...list: QueuePulse[]) => componentOf('queues', { source: { listQueues: async () => list } });

  it('are counted together', async () => {
    const found = await queues(
      queue({ waiting: 3, oldestWaitingMs: 10 }),
      queue({ dead: 2, waiting: 1, oldestWaitingMs: 50 }),
    );
    expect(found).toMatchObject({ status: 'ok', queues: 2, waiting: 4, dead: 2, oldestWaitingMs: 50 });
    expect(found.message).toBe('2 queues, 4 jobs wait, 2 dead letters');
  });

  it('that nobody serves degrade it, and are a failure once their jobs have waited too long', async () => {
    const young = await queues(queue({ waiting: 1, consumers: 0, oldestWaitingMs: MINUTE }));
    expect(young).toMatchObject({ status: 'degraded', unserved: ['mail'] });
    expect(young.message).toBe('nobody serves mail, where 1 job waits, the oldest for 1m');
    const old = await queues(queue({ waiting: 2, consumers: 0, oldestWaitingMs: 16 * MINUTE }));
    expect(old).toMatchObject({ status: 'failed', unserved: ['mail'] });
    expect(await queues(queue({ consumers: 0 }))).toMatchObject({ status: 'ok', unserved: [] });
  });

  it('that are paused, deep, or have jobs that wait for long degrade it, each said once', async () => {
    const paused = await queues(queue({ waiting: 1, paused: true, consumers: 0, oldestWaitingMs: 60 * MINUTE }));
    expect(paused).toMatchObject({ status: 'degraded', paused: ['mail'], unserved: [] });
    expect(paused.message).toBe('mail is paused, and 1 job waits in it');
    const deep = await queues(queue({ waiting: 10_001, oldestWaitingMs: 1 }));
    expect(deep.message).toBe('10001 jobs wait in mail, more than 10000');
    const old = await queues(queue({ waiting: 1, oldestWaitingMs: 16 * MINUTE }));
    expect(old.message).toBe('the oldest job of mail waits for 16m');
  });

  it('with too many dead letters, together, degrade it', async () => {
    const found = await queues(queue({ dead: 60 }), queue({ dead: 60 }));
    expect(found).toMatchObject({ status: 'degraded', dead: 120 });
    expect(found.message).toBe('there are 120 dead letters, more than 100');
  });

  it('in great number are not all named', async () => {
    const found = await queues(
      ...Array.from({ length: 9 }, (_, n) => queue({ queue: `q${n}`, waiting: 1, consumers: 0 })),
    );
    expect(found.message).toMatch(/^nobody serves q0.*q4.*; and 4 more$/);
  });
});

describe('the workers', () => {
  const workers = (
    pulse: Awaited<ReturnType<HealthSource['listWorkers']>>,
    limits: HealthOptions = {},
    consumers = 0,
  ): Promise<HealthComponent> =>
    componentOf('workers', {
      source: { listWorkers: async () => pulse, listQueues: async () => [queue({ consumers })] },
      limits,
    });
  const NOBODY = { workers: [], silent: [] };

  it('have failed when none is live, unless none is expected', async () => {
    expect(await workers(NOBODY)).toMatchObject({ status: 'failed', live: 0, message: 'no worker is live' });
    expect(await workers(NOBODY, { leastWorkers: 0 })).toMatchObject({ status: 'ok' });
  });

  it('are degraded when fewer are live than there should be, and when others do the work', async () => {
    const one = { workers: [{ name: 'tq@a', problems: [] }], silent: [] };
    expect(await workers(one, { leastWorkers: 2 })).toMatchObject({ status: 'degraded', live: 1 });
    expect(await workers(NOBODY, {}, 3)).toMatchObject({ status: 'degraded', live: 0 });
  });

  it('that are silent or not ready are named', async () => {
    const found = await workers({ workers: [{ name: 'tq@a', problems: ['it stops'] }], silent: ['tq@b'] });
    expect(found).toMatchObject({ status: 'degraded', live: 2, ready: 0, silent: ['tq@b'], notReady: ['tq@a'] });
    expect(found.message).toBe('no answer from tq@b; tq@a is not ready: it stops');
  });
});

describe('the disk', () => {
  it('is looked at where the app works, where temporary files go, where the broker has its file, and where the app says', async () => {
    const looked: string[] = [];
    const readDisk: Machine['readDisk'] = async (folder) => {
      looked.push(folder);
      return { freeBytes: folder === '/data' ? 2 * GIB : 5 * GIB, totalBytes: 100 * GIB };
    };
    const ping = async () => ({ url: 'sqlite:/data/tq.db', store: 'SQLite', latencyMs: 0, folder: '/data' });
    const given = { source: { ping }, machine: { readDisk }, limits: { folders: ['uploads', '/tmp'] } };
    const found = await componentOf('disk', given);
    expect(looked.sort()).toEqual(['/app', '/app/uploads', '/data', '/tmp']);
    expect(found).toMatchObject({ status: 'ok', path: '/data', freeBytes: 2 * GIB, totalBytes: 100 * GIB });
  });

  it('is degraded below the limit, and has failed below a tenth of it', async () => {
    const free = (freeBytes: number) =>
      componentOf('disk', { machine: { readDisk: async () => ({ freeBytes, totalBytes: 100 * GIB }) } });
    expect(await free(GIB)).toMatchObject({ status: 'ok' });
    expect(await free(GIB - 1)).toMatchObject({ status: 'degraded' });
    expect(await free(GIB / 10 - 1)).toMatchObject({ status: 'failed' });
  });

  it('is degraded where a folder cannot be looked at', async () => {
    const readDisk: Machine['readDisk'] = async (folder) => {
      if (folder === '/app') throw new Error('ENOENT: no such file or directory');
      return { freeBytes: 5 * GIB, totalBytes: 6 * GIB };
    };
    const found = await componentOf('disk', { machine: { readDisk } });
    expect(found).toMatchObject({ status: 'degraded', path: '/tmp' });
    expect(found.message).toContain('could not look at /app: ENOENT');
  });
});

describe('the memory', () => {
  const memory = (changes: Partial<ReturnType<Machine['readMemory']>>, limits: HealthOptions = {}) =>
    componentOf('memory', { machine: { readMemory: () => ({ ...wellMachine.readMemory(), ...changes }) }, limits });

  it('is degraded below the limit, and has failed below a fifth of it', async () => {
    expect(await memory({ freeBytes: 5, totalBytes: 100 })).toMatchObject({ status: 'ok' });
    expect(await memory({ freeBytes: 4, totalBytes: 100 })).toMatchObject({ status: 'degraded' });
    expect(await memory({ freeBytes: 0.9, totalBytes: 100 })).toMatchObject({ status: 'failed' });
  });

  it('is degraded when the process holds more than it may, or its heap is nearly full', async () => {
    expect(await memory({}, { processMemory: '100MB' })).toMatchObject({ status: 'degraded' });
    expect(await memory({}, { processMemory: '200MB' })).toMatchObject({ status: 'ok' });
    expect(await memory({ heapUsedBytes: 91, heapLimitBytes: 100 })).toMatchObject({ status: 'degraded' });
  });
});

it('reads a real machine', async () => {
  const { freeBytes, totalBytes } = await thisMachine.readDisk(thisMachine.temporaryFolder);
  expect(totalBytes).toBeGreaterThan(0);
  expect(freeBytes).toBeLessThanOrEqual(totalBytes);
  const memory = thisMachine.readMemory();
  for (const figure of Object.values(memory)) expect(figure).toBeGreaterThan(0);
  expect(memory.freeBytes).toBeLessThanOrEqual(memory.totalBytes);
});

describe('health.check', () => {
  const tasks = healthTasks({ leastWorkers: 5 }, createTestEnvironment('/', { health: createSource() }));

  it('gives its verdict as its result, by the limits of the app, however bad it is', async () => {
    const report = await runTask(tasks['health.check'], {});
    expect(report.components.find(({ name }) => name === 'workers')).toMatchObject({ status: 'degraded', live: 1 });
    const lost = createSource({ ping: () => Promise.reject(new Error('gone')) });
    const [task] = Object.values(healthTasks({}, createTestEnvironment('/', { health: lost })));
    if (task === undefined) throw new Error('there is no task');
    expect(await runTask(task, { only: ['broker'] })).toMatchObject({ status: 'failed', components: [{}] });
  });

  it('refuses a component that it does not know', async () => {
    await expect(runTask(tasks['health.check'], { only: ['brokr'] } as never)).rejects.toThrow(InputFault);
  });
});

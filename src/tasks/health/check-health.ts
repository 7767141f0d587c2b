import { resolve } from 'node:path';
import { messageOf } from '../../engine/core/errors.ts';
import { createReport, type HealthComponent, type HealthReport } from '../../engine/core/health/report.ts';
import { checkBroker, checkQueues, checkWorkers, lostBroker, notKnown } from './broker-checks.ts';
import type { BrokerPulse, HealthSource, QueuePulse } from './health-source.ts';
import type { HealthLimits } from './limits.ts';
import { type Machine, thisMachine } from './machine.ts';
import { checkDisk, checkMemory, type FolderSpace } from './machine-checks.ts';

/** In the order of the report. */
export const COMPONENTS = ['broker', 'queues', 'workers', 'disk', 'memory'] as const;
export type ComponentName = (typeof COMPONENTS)[number];

export interface HealthCheck {
  readonly source: HealthSource;
  readonly limits: HealthLimits;
  readonly cwd: string;
  /** All without it. */
  readonly only?: readonly ComponentName[] | undefined;
  readonly machine?: Machine;
}

/**
 * Looks at broker, queues, workers, disk and memory. Never rejects: what cannot be looked at has failed, and the report says why.
 *
 * The broker is asked first. When it does not answer, queues and workers are not known either, and nobody waits for them; the
 * machine is looked at in any case.
 */
export async function checkHealth(check: HealthCheck): Promise<HealthReport> {
  const { source, limits, cwd, only = COMPONENTS, machine = thisMachine } = check;
  const wants = (...names: ComponentName[]): boolean => names.some((name) => only.includes(name));
  const found = new Map<ComponentName, HealthComponent>();
  let pulse: BrokerPulse | undefined;
  if (wants('broker', 'queues', 'workers')) {
    try {
      pulse = await within(limits.timeoutMs, source.ping());
      found.set('broker', checkBroker(pulse, limits));
    } catch (error) {
      found.set('broker', lostBroker(messageOf(error)));
      for (const name of ['queues', 'workers'] as const) found.set(name, notKnown(name, 'the broker does not answer'));
    }
  }
  const [folders] = await Promise.all([
    wants('disk') ? readFolders([cwd, pulse?.folder, machine.temporaryFolder, ...limits.folders], cwd, machine) : [],
    pulse !== undefined && wants('queues', 'workers') ? lookThrough(check, found) : undefined,
  ]);
  found.set('disk', checkDisk(folders, limits));
  found.set('memory', checkMemory(machine.readMemory(), limits));
  return createReport(COMPONENTS.filter((name) => only.includes(name)).flatMap((name) => found.get(name) ?? []));
}

async function lookThrough({ source, limits }: HealthCheck, found: Map<ComponentName, HealthComponent>): Promise<void> {
  const [queues, workers] = await Promise.all([
    within<readonly QueuePulse[] | Error>(limits.timeoutMs, source.listQueues()).catch(toError),
    // The asker ends by itself; the ceiling is for a broker that has gone meanwhile.
    within(limits.timeoutMs * 2, source.listWorkers(limits.timeoutMs)).catch(toError),
  ]);
  found.set('queues', queues instanceof Error ? notKnown('queues', queues.message) : checkQueues(queues, limits));
  const consumers = queues instanceof Error ? undefined : queues.reduce((total, queue) => total + queue.consumers, 0);
  found.set(
    'workers',
    workers instanceof Error ? notKnown('workers', workers.message) : checkWorkers(workers, limits, consumers),
  );
}

async function readFolders(
  wanted: readonly (string | null | undefined)[],
  cwd: string,
  machine: Machine,
): Promise<FolderSpace[]> {
  const folders = new Set(wanted.filter((folder) => typeof folder === 'string').map((folder) => resolve(cwd, folder)));
  return await Promise.all(
    [...folders].map(async (folder) => ({
      folder,
      space: await machine.readDisk(folder).catch((error: unknown) => ({ reason: messageOf(error) })),
    })),
  );
}

/** @throws when it takes longer; what was asked for may still end, and nobody looks at it then */
async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}

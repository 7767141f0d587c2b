import { hostname } from 'node:os';
import { askLiveWorkers } from '../engine/control/ask-live-workers.ts';
import { formatWorkerName } from '../engine/control/name-template.ts';
import type { WorkerStats } from '../engine/control/replies.ts';
import { isRecord } from '../engine/core/envelope.ts';
import { messageOf } from '../engine/core/errors.ts';
import type { HealthComponent } from '../engine/core/health/report.ts';
import { nearestNames } from '../engine/core/nearest.ts';
import type { Session } from './session.ts';

const NO_FIGURES = { live: null, pid: null, host: null, active: null } as const;

/**
 * Whether one worker answers, and is ready as its `/readyz` would say. `answers` is false when there is nobody to tell: it is not
 * live, hangs, or the broker is away.
 *
 * @param template its name; `%h` stands for the name of this host
 */
export async function probeWorker(
  session: Pick<Session, 'broker'>,
  template: string,
  timeoutMs: number | undefined,
): Promise<HealthComponent> {
  const worker = formatWorkerName(template, { host: hostname(), pid: process.pid });
  const silent = (message: string): HealthComponent => {
    return { name: 'worker', status: 'failed', message, worker, answers: false, ...NO_FIGURES };
  };
  try {
    const { control } = await session.broker();
    const addressed = { destinations: [worker], ...(timeoutMs !== undefined && { timeoutMs }) };
    const { answers } = await askLiveWorkers(control, { command: 'stats', args: null }, addressed);
    const answer = answers.get(worker);
    if (answer === undefined)
      return silent(
        describeSilence(
          worker,
          (await control.listNodes()).map(({ name }) => name),
        ),
      );
    const said = { name: 'worker', worker, answers: true };
    if (!answer.ok || !isRecord(answer.value)) {
      const message = answer.ok ? `${worker} does not say how it is` : `${worker}: ${answer.error.message}`;
      return { ...said, status: 'failed', message, ...NO_FIGURES };
    }
    const { pid, host, active, health } = answer.value as unknown as WorkerStats;
    const isReady = health.ready;
    const message = isReady ? `${worker} is ready` : `${worker} is not ready: ${health.problems.join(', ')}`;
    return {
      ...said,
      status: isReady ? 'ok' : 'failed',
      message,
      live: health.live,
      pid,
      host,
      active,
    };
  } catch (error) {
    return silent(`${worker} cannot be asked: ${messageOf(error)}`);
  }
}

function describeSilence(worker: string, live: readonly string[]): string {
  if (live.includes(worker))
    return `${worker} is live and does not answer: hung, or with an event loop that a task blocks`;
  if (live.length === 0) return `${worker} is not live, and no other worker is`;
  const near = nearestNames(worker, live);
  return `${worker} is not live; ${near.length > 0 ? `did you mean ${near.join(' or ')}?` : `live are ${live.join(', ')}`}`;
}

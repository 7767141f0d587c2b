import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Workshop } from './workshop.ts';

/**
 * Starts a worker in a process of its own and kills it as soon as it has taken a job.
 *
 * @returns the id of that job
 */
export async function loseWorker(workshop: Workshop, queue: string, lockMs: number): Promise<string> {
  const child: ChildProcess = fork(new URL('./doomed-consumer.ts', import.meta.url), [
    workshop.url,
    queue,
    String(lockMs),
  ]);
  workshop.afterwards(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit').then(() => ['the worker ended before it took a job']);
  const [jobId = ''] = (await Promise.race([once(child, 'message'), exited])) as string[];
  child.kill('SIGKILL');
  await exited;
  return jobId;
}

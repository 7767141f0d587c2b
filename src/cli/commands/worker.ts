import type { Settings } from '../../engine/config/settings.ts';
import type { ProcessLog } from '../../engine/runtime/logger.ts';
import type { WorkerEnd } from '../../engine/worker/worker-settings.ts';
import { type CommandContext, defineService } from '../command.ts';
import { sharedOptions } from '../options.ts';
import type { ServicePresence } from '../service-presence.ts';
import type { WorkerBeat } from '../worker-beat.ts';

/** Its options are settings, so that each has its environment variable and its place in tq.config. */
export const worker = defineService({
  name: 'worker',
  summary: 'Run the jobs of queues until stopped',
  details: [
    'The first SIGTERM or Ctrl-C stops it gracefully: no new jobs, running ones may end within --shutdown-timeout, the rest goes',
    'back to the queue and is charged no attempt. The second one, or SIGQUIT, hands everything back now.',
    'Exit codes: 0 all jobs ended, 1 stopped now with jobs handed back, 4 the timeout passed with jobs handed back.',
  ].join(' '),
  options: [
    { flags: '-c, --concurrency <number>', summary: 'slots: jobs that run at once (default: number of CPUs)' },
    {
      flags: '-Q, --queues <names>',
      summary: 'queues to serve, in order; high:6 has the weight 6 (default: those of the app)',
      completion: 'queues',
      many: 'split',
    },
    {
      flags: '-P, --pool <pool>',
      summary: 'where jobs run: prefork in child processes, async in the event loop (default: prefork)',
      choices: ['prefork', 'async'],
    },
    {
      flags: '--autoscale <max,min>',
      summary: 'in place of --concurrency: so many slots at most and at least (1), by need',
    },
    { flags: '--max-tasks-per-child <number>', summary: 'replace a child process after so many jobs' },
    {
      flags: '--max-memory-per-child <mib>',
      summary: 'replace a child process that holds more memory after a job; also 500MB',
    },
    { flags: '-X, --exclude-queues <names>', summary: 'queues to leave out', completion: 'queues', many: 'split' },
    {
      flags: '-n, --name <name>',
      summary: 'name of the worker; %h host name, %p process id, %n the first free number (default: tq@%h)',
    },
    {
      flags: '--queue-order <order>',
      summary: 'which queue goes first when several have jobs (default: strict)',
      choices: ['strict', 'weighted', 'fair'],
    },
    sharedOptions.results,
    { flags: '--time-limit <duration>', summary: 'fail an attempt that runs longer' },
    { flags: '--soft-time-limit <duration>', summary: 'abort the signal of an attempt that runs longer' },
    { flags: '--shutdown-timeout <duration>', summary: 'how long running jobs may go on after a stop (default: 25s)' },
    {
      flags: '--lock-duration <duration>',
      summary:
        'a blocked worker keeps its jobs for this, those of a dead one run elsewhere within twice this (default: 30s)',
    },
    { flags: '--blocked-after <duration>', summary: 'log a task that blocks the event loop for longer (default: 1s)' },
    { flags: '--beat', summary: 'keep the schedule too, as tq beat does' },
    { flags: '--burst', summary: 'exit when no job waits any more' },
    { flags: '--health-port <port>', summary: 'serve /healthz and /readyz on this port; 0 takes a free one' },
    { flags: '--health-host <host>', summary: 'address of the health port (default: all interfaces)' },
    { flags: '--pidfile <file>', summary: 'write the process id to this file while it runs', completion: 'files' },
    { flags: '--watch', summary: 'restart when source files change' },
    { flags: '--logfile <file>', summary: 'append logs to this file', completion: 'files' },
  ],
  examples: [
    { command: 'tq worker --burst', does: 'run what waits, then exit' },
    { command: 'tq worker -A app.ts -Q high,default -c 8', does: 'eight child processes for two queues, high first' },
    { command: 'tq worker -A app.ts --pool async -c 100', does: 'a hundred jobs at once that mostly wait' },
    { command: 'tq worker -A app.ts --autoscale 10,2', does: 'two to ten child processes, by need' },
    {
      command: 'tq worker -A app.ts --max-tasks-per-child 1000 --max-memory-per-child 500MB',
      does: 'replace child processes before what leaks hurts',
    },
    {
      command: 'tq worker -A app.ts -Q high:6,low:1 --queue-order weighted',
      does: 'six starts of high for one of low',
    },
  ],
  json: [
    'timestamp',
    'level',
    'task_id',
    'task_name',
    'queue',
    'attempt',
    'request_id',
    'worker',
    'duration_ms',
    'message',
  ],
  optionsAreSettings: true,
  changesBroker: true,
  toInput: () => undefined,
  serve: async (_, context) => {
    if (context.settings.worker.watch) return (await import('../watch/watch-worker.ts')).watchWorker(context);
    const { openPresence } = await import('../service-presence.ts');
    const presence = await openPresence('worker', context.settings.worker);
    try {
      return await serveWith(presence, context);
    } finally {
      await presence.close();
    }
  },
});

async function serveWith(presence: ServicePresence, context: CommandContext): Promise<number> {
  const { openServiceLog } = await import('../service-log.ts');
  const log = await openServiceLog(context, context.settings.worker.logfile);
  try {
    presence.announce(log.log);
    return await runWorker(context, log, presence);
  } finally {
    await log.close();
  }
}

async function runWorker(context: CommandContext, processLog: ProcessLog, presence: ServicePresence): Promise<number> {
  const { settings, session } = context;
  const { log } = processLog;
  const app = await session.app();
  const { choosePool } = await import('../worker-pool.ts');
  const pool = choosePool(settings, app.brokerUrl);
  for (const note of pool.notes) context.output.note(note);
  const created = await app.createWorker({ ...toWorkerOptions(settings), ...pool.options, logger: log });
  presence.show(created);
  let beat: WorkerBeat | undefined;
  const { onStopSignals } = await import('../../engine/runtime/stop-signals.ts');
  const stopListening = onStopSignals({
    warm(signal) {
      const waitMs = settings.worker.shutdownTimeoutMs;
      log.info({ signal, running: created.running, timeout_ms: waitMs }, 'stopping: no new jobs, running ones may end');
      void beat?.stop();
      void created.stop();
    },
    cold(signal) {
      log.warn({ signal, running: created.running }, 'stopping now: running jobs go back to their queues');
      void created.stopNow();
    },
  });
  const { reopenAtHangUp } = await import('../service-log.ts');
  const stopReopening = reopenAtHangUp(processLog);
  try {
    const { showBanner } = await import('../worker-banner.ts');
    await showBanner(created, { app, context, log }).catch(async (error) => {
      await created.stopNow();
      throw error;
    });
    await created.start();
    log.info({ worker: created.name, queues: created.queues }, 'worker ready');
    if (settings.worker.beat) {
      const { startWorkerBeat } = await import('../worker-beat.ts');
      beat = startWorkerBeat(app, { worker: created, settings: settings.beat, log });
    }
    const end = await created.ended;
    await beat?.stop();
    log.info({ handed_back: end.handedBack, reason: end.reason }, 'worker stopped');
    return toExitCode(end);
  } finally {
    await beat?.stop();
    stopReopening();
    stopListening();
  }
}

function toWorkerOptions({ worker: settings }: Settings): Parameters<WorkerFactory>[0] {
  const { queues, softTimeLimitMs, timeLimitMs } = settings;
  return {
    ...(queues !== undefined && { queues }),
    excludeQueues: settings.excludeQueues,
    name: settings.name,
    queueOrder: settings.queueOrder,
    lockDuration: settings.lockDurationMs,
    blockedAfter: settings.blockedAfterMs,
    shutdownTimeout: settings.shutdownTimeoutMs,
    ...(softTimeLimitMs !== undefined && { softTimeLimit: softTimeLimitMs }),
    ...(timeLimitMs !== undefined && { timeLimit: timeLimitMs }),
    burst: settings.burst,
  };
}

type WorkerFactory = Awaited<ReturnType<CommandContext['session']['app']>>['createWorker'];

function toExitCode({ handedBack, reason }: WorkerEnd): number {
  if (handedBack === 0) return 0;
  return reason === 'cold' ? 1 : 4;
}

import type { Beat } from '../../engine/beat/beat.ts';
import { createError } from '../../engine/core/errors.ts';
import type { ProcessLog } from '../../engine/runtime/logger.ts';
import { type CommandContext, defineService, type Values } from '../command.ts';
import type { ServicePresence } from '../service-presence.ts';

type Take = 'code' | 'stored' | undefined;

interface TakeOptions {
  readonly takeCode?: boolean;
  readonly takeStored?: boolean;
}

/** Its options are settings, so that each has its environment variable and its place in tq.config. */
export const beat = defineService({
  name: 'beat',
  summary: 'Keep the schedule: have entries fire when they are due',
  details: [
    'Brings the entries that the app declares into the broker, then leads or stands by: any number may run, one of them leads, and',
    'another takes over within 15 seconds of its death. Logs each firing, and warns of what has not started. The first SIGTERM or',
    'Ctrl-C stops it and gives the lead back, exit code 0; a second one does not wait for a broker that is away, exit code 1.',
  ].join(' '),
  options: [
    {
      flags: '--take-code',
      summary:
        'where an operator has changed an entry that the app declares, that of the app holds, its pause included',
    },
    {
      flags: '--take-stored',
      summary: 'where an operator has changed an entry that the app declares, the change holds',
    },
    { flags: '-n, --name <name>', summary: 'name of the beat; %h host name, %p process id (default: beat@%h)' },
    { flags: '--health-port <port>', summary: 'serve /healthz and /readyz on this port; 0 takes a free one' },
    { flags: '--health-host <host>', summary: 'address of the health port (default: all interfaces)' },
    { flags: '--pidfile <file>', summary: 'write the process id to this file while it runs', completion: 'files' },
    { flags: '--logfile <file>', summary: 'append logs to this file', completion: 'files' },
  ],
  examples: [
    { command: 'tq beat', does: 'keep the schedule of the app of this project' },
    { command: 'tq beat -A app.ts --health-port 8081', does: 'with a port for probes' },
    { command: 'tq beat --take-stored', does: 'keep what operators have changed' },
  ],
  json: ['timestamp', 'level', 'entry', 'due', 'late_ms', 'job_id', 'message'],
  optionsAreSettings: true,
  changesBroker: true,
  toInput({ options: { takeCode = false, takeStored = false } }: Values<TakeOptions>): Take {
    if (takeCode && takeStored) {
      const next =
        'give one of the two, or neither: then the entry of the app holds, and the pause of an operator stays';
      throw createError('USAGE', { message: '--take-code and --take-stored exclude each other', next });
    }
    return takeCode ? 'code' : takeStored ? 'stored' : undefined;
  },
  serve: async (take, context) => {
    const { openPresence } = await import('../service-presence.ts');
    const presence = await openPresence('beat', context.settings.beat);
    try {
      return await serveWith(presence, context, take);
    } finally {
      await presence.close();
    }
  },
});

async function serveWith(presence: ServicePresence, context: CommandContext, take: Take): Promise<number> {
  const { openServiceLog, reopenAtHangUp } = await import('../service-log.ts');
  const log = await openServiceLog(context, context.settings.beat.logfile);
  const stopReopening = reopenAtHangUp(log);
  try {
    presence.announce(log.log);
    return await runBeat(context, log, presence, take ?? context.settings.beat.take);
  } finally {
    stopReopening();
    await log.close();
  }
}

async function runBeat(
  context: CommandContext,
  { log }: ProcessLog,
  presence: ServicePresence,
  take: Take,
): Promise<number> {
  const { session, settings, host } = context;
  const app = await session.app();
  const { name } = settings.beat;
  const created = await app.createBeat({ name, logger: log, ...(take !== undefined && { take }) });
  const { judgeBeatHealth } = await import('../beat-health.ts');
  presence.show({
    get health() {
      return judgeBeatHealth(created.state, host.clock.now());
    },
  });
  const { onStopSignals } = await import('../../engine/runtime/stop-signals.ts');
  const hurried = Promise.withResolvers<void>();
  const stopListening = onStopSignals({
    warm(signal) {
      log.info({ signal }, 'stopping: the lead is given back');
      void created.stop();
    },
    cold(signal) {
      log.warn({ signal }, 'stopping now: a lead that is not given back ends within 15 seconds');
      hurried.resolve();
    },
    ...(host.signals !== undefined && { source: host.signals }),
  });
  try {
    const { showBeatBanner } = await import('../beat-banner.ts');
    await showBeatBanner(created, { app, context, log });
    const isHurried = await Promise.race([runUntilStopped(created, log), hurried.promise.then(() => true)]);
    log.info({ beat: created.name }, 'beat stopped');
    return isHurried ? 1 : 0;
  } finally {
    stopListening();
  }
}

/** @returns false: it has stopped in its own time */
async function runUntilStopped(beat: Beat, log: ProcessLog['log']): Promise<false> {
  await beat.start();
  const { phase, leader, isLeader } = beat.state;
  if (phase === 'running') {
    const role = isLeader
      ? 'it leads'
      : leader === null
        ? 'nobody could be asked who leads'
        : `${leader} leads, and it stands by`;
    log.info({ beat: beat.name, leader }, `beat ready: ${role}`);
  }
  await beat.ended;
  return false;
}

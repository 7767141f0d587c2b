import { loadSettings } from '../../engine/config/settings.ts';
import { escapeControl } from '../../engine/core/escape.ts';
import { openSchedules } from '../../ops/schedules-of.ts';
import { defineStandalone, type StandaloneContext } from '../command.ts';
import type { CliSession } from '../session.ts';

/** Somebody waits with a finger on the tab key: later than this, no names are better than names. */
const PATIENCE_MS = 2000;
const MAX_IDS = 100;
const MAX_ENTRIES = 1000;

/**
 * Called by the completion scripts. Prints one name a line, and nothing at all when anything goes wrong: a message would
 * end up in the command line that is being typed.
 */
export const complete = defineStandalone({
  name: '__complete',
  summary: 'Print names for the completion scripts',
  arguments: [{ name: '<kind>', summary: 'tasks, queues, workers, ids or entries' }],
  examples: [],
  json: [],
  toInput: ({ arguments: [kind = ''] }) => kind,
  async answer(kind, context) {
    const names = await Promise.race([listNames(kind, context).catch(() => []), noNamesInTime()]);
    // A name that a line or a terminal cannot hold is left out.
    const usable = names.filter((name) => name !== '' && escapeControl(name) === name);
    return { json: usable, blocks: [{ kind: 'verbatim', text: usable.map((name) => `${name}\n`).join('') }] };
  },
});

async function listNames(kind: string, { host, flags }: StandaloneContext): Promise<string[]> {
  const settings = await loadSettings({ flags, ...(host.env !== undefined && { env: host.env }), cwd: host.cwd });
  const session = await host.openSession(settings, { onlyExisting: true });
  try {
    return await readNames(kind, session);
  } finally {
    await session.close();
  }
}

async function readNames(kind: string, session: CliSession): Promise<string[]> {
  switch (kind) {
    case 'tasks':
      return [...(await session.app()).tasks.keys()].sort();
    case 'queues':
      return await (await session.broker()).listQueues();
    case 'workers':
      return (await (await session.broker()).control.listNodes()).map(({ name }) => name);
    case 'ids': {
      const [{ listJobs }, { READING }] = await Promise.all([
        import('../../ops/list-jobs.ts'),
        import('../../ops/operation.ts'),
      ]);
      const { jobs } = await listJobs.run(session, { limit: MAX_IDS }, READING);
      return jobs.map(({ id }) => id);
    }
    case 'entries':
      return (await (await openSchedules(session)).list({ limit: MAX_ENTRIES })).schedules.map(({ name }) => name);
    default:
      return [];
  }
}

function noNamesInTime(): Promise<string[]> {
  return new Promise((resolve) => {
    setTimeout(() => resolve([]), PATIENCE_MS).unref();
  });
}

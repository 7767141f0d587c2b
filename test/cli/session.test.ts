import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSession } from '../../src/cli/session.ts';
import { createApp } from '../../src/engine/app/create-app.ts';

const clock = { now: () => 0, monotonic: () => 0 };
const none = { app: undefined, exportedApp: undefined, broker: undefined, defaultBroker: 'sqlite::memory:' };
let folder: string;

/** A session of a project that names no broker, and what it notes. */
function withoutBroker(
  settings: Partial<Parameters<typeof createSession>[0]> = {},
  options: { onlyExisting?: boolean } = {},
) {
  const notes: string[] = [];
  const session = createSession({ ...none, ...settings }, clock, { ...options, note: (text) => notes.push(text) });
  return { session, notes };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tq-session-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the app', () => {
  test('is one with the built-in tasks when none is named', async () => {
    const app = await createSession(none, clock).app();
    expect([...app.tasks.keys()]).toContain('email.send');
  });

  test('is that of the config file when no module is named, and the broker of the settings is its broker', async () => {
    const exportedApp = createApp({ broker: 'redis://localhost:1/0', queues: ['a'] });
    const app = await createSession({ ...none, exportedApp, broker: 'redis://localhost:2/0' }, clock).app();
    expect(app).toBe(exportedApp);
    expect(app.brokerUrl).toBe('redis://localhost:2/0');
  });

  test('is that of the module that is named', async () => {
    const file = join(folder, 'app.mjs');
    const library = new URL('../../src/engine/app/create-app.ts', import.meta.url).href;
    await writeFile(
      file,
      `import { createApp } from ${JSON.stringify(library)};\nexport const app = createApp({ queues: ['mine'] });\n`,
    );
    const session = createSession({ ...none, app: file, exportedApp: createApp() }, clock);
    expect((await session.app()).queues).toEqual(['mine']);
    expect(await session.app()).toBe(await session.app());
  });

  test('that does not exist is an error, and closing is none', async () => {
    const session = createSession({ ...none, app: join(folder, 'nope.ts') }, clock);
    await expect(session.app()).rejects.toMatchObject({ code: 'APP_NOT_FOUND' });
    await session.close();
  });
});

describe('the broker', () => {
  test('that nothing names is the default one, and that is noted once', async () => {
    const { session, notes } = withoutBroker({ exportedApp: createApp({}, { env: {} }) });
    expect((await session.app()).brokerUrl).toBe('sqlite::memory:');
    expect((await session.broker()).kind).toBe('sqlite');
    expect(notes).toEqual(['no broker is named; using sqlite::memory:']);
    await session.close();
  });

  test.each([{ onlyExisting: true }, {}])('with %j is that of the app before the default one', async (options) => {
    const exportedApp = createApp({ broker: `sqlite:${join(folder, 'app.db')}` }, { env: {} });
    const { session, notes } = withoutBroker({ exportedApp }, options);
    expect((await session.broker({ skipSchema: true })).url).toBe(`sqlite:${join(folder, 'app.db')}`);
    expect(notes).toEqual([]);
    await session.close();
  });

  test('that is only looked at is not made, and what is missing is noted', async () => {
    const path = join(folder, 'missing', 'tq.db');
    const { session, notes } = withoutBroker({ defaultBroker: `sqlite:${path}` }, { onlyExisting: true });
    expect(await (await session.broker()).listQueues()).toEqual([]);
    await session.app();
    expect(notes).toEqual([
      `no broker is named; using sqlite:${path}`,
      `there is no ${path} yet; the first call or worker makes it`,
    ]);
    await session.close();
    expect(existsSync(join(folder, 'missing'))).toBe(false);
  });

  test('that is only looked at is opened beside the app, which would make its file', async () => {
    const broker = `sqlite:${join(folder, 'looked.db')}`;
    const { session } = withoutBroker({ broker, exportedApp: createApp({}, { env: {} }) }, { onlyExisting: true });
    await session.app();
    expect(await (await session.broker()).listQueues()).toEqual([]);
    await session.close();
    expect(existsSync(join(folder, 'looked.db'))).toBe(false);
  });

  test('is opened without the app when the settings name it', async () => {
    const session = createSession({ ...none, app: join(folder, 'nope.ts'), broker: 'gopher://x' }, clock);
    await expect(session.broker()).rejects.toMatchObject({ code: 'BROKER_URL_INVALID' });
  });

  test('of a closed port is unavailable: exit code 69', async () => {
    const session = createSession({ ...none, broker: 'redis://127.0.0.1:1/0' }, clock);
    await expect(session.broker()).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE', exitCode: 69 });
    await session.close();
  });
});

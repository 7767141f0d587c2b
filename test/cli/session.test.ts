import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSession } from '../../src/cli/session.ts';
import { createApp } from '../../src/engine/app/create-app.ts';

const clock = { now: () => 0, monotonic: () => 0 };
const none = { app: undefined, exportedApp: undefined, broker: undefined };
let folder: string;

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
  test('must be named somewhere', async () => {
    const session = createSession({ ...none, exportedApp: createApp({}, { env: {} }) }, clock);
    await expect(session.broker()).rejects.toMatchObject({ code: 'BROKER_NOT_CONFIGURED', exitCode: 2 });
    await expect(session.broker({ skipSchema: true })).rejects.toMatchObject({ code: 'BROKER_NOT_CONFIGURED' });
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

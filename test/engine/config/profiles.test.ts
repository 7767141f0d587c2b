import { describe, expect, test } from 'vitest';
import { explainSettings } from '../../../src/engine/config/explain.ts';
import { profilesPath, writeProfiles } from '../../../src/engine/config/profiles.ts';
import { loadSettings } from '../../../src/engine/config/settings.ts';
import { createFolderOfRun } from '../../support/run-folder.ts';
import { createFolder } from './folder.ts';

const config = createFolderOfRun('config');
const profile = (name: string) => ({ broker: `redis://${name}`, ...(name === 'prod' && { protected: true }) });

async function load(given: { flags?: object; env?: Record<string, string>; file?: string; current?: string | null }) {
  const { flags = {}, env = {}, file, current = null } = given;
  const profiles = { prod: profile('prod'), staging: { ...profile('staging'), results: 'postgres://results' } };
  await writeProfiles(profilesPath(config), { current, profiles });
  const files = file === undefined ? {} : { 'tq.config.ts': `export default ${file};` };
  return await loadSettings({
    flags: { ...flags },
    env: { XDG_CONFIG_HOME: config, ...env },
    cwd: await createFolder(files),
  });
}

describe('the broker is that of', () => {
  const everything = {
    flags: { profile: 'staging' },
    env: { TQ_BROKER_URL: 'redis://variable', TQ_PROFILE: 'prod', REDIS_URL: 'redis://redis' },
    file: "{ broker: 'redis://file' }",
    current: 'prod',
  };
  const { TQ_BROKER_URL: _, ...withoutBroker } = everything.env;

  test.each([
    [
      '--broker, before all',
      { ...everything, flags: { profile: 'staging', broker: 'redis://flag' } },
      'flag',
      undefined,
    ],
    ['--profile', everything, 'staging', 'flag'],
    ['TQ_BROKER_URL', { ...everything, flags: {} }, 'variable', undefined],
    ['TQ_PROFILE', { ...everything, flags: {}, env: withoutBroker }, 'prod', 'environment'],
    ['the variables of Redis', { ...everything, flags: {}, env: { REDIS_URL: 'redis://redis' } }, 'redis', undefined],
    ['the profile that is used', { ...everything, flags: {}, env: {} }, 'prod', 'use'],
    ['the config file', { file: everything.file }, 'file', undefined],
  ])('%s', async (_name, given, broker, by) => {
    const settings = await load(given);
    expect(settings.broker).toBe(`redis://${broker}`);
    expect(settings.profile?.by).toBe(by);
  });
});

test('a profile brings its result store, which a better source replaces', async () => {
  expect((await load({ flags: { profile: 'staging' } })).results).toBe('postgres://results');
  const { results } = await load({ flags: { profile: 'staging', results: 'postgres://flag' } });
  expect(results).toBe('postgres://flag');
});

test('the config file has profiles too, and those of the user go before them', async () => {
  const file = "{ profiles: { prod: { broker: 'redis://other' }, ci: { broker: 'sqlite:ci.db' } } }";
  expect(await load({ flags: { profile: 'prod' }, file })).toMatchObject({
    ...{ broker: 'redis://prod', profile: { name: 'prod', isProtected: true } },
  });
  const { broker } = await load({ flags: { profile: 'ci' }, file });
  expect(broker).toMatch(/^sqlite:\/.*\/ci\.db$/);
});

test('mistakes of profiles in the config file are named', async () => {
  const file = "{ profiles: { 'a b': { broker: 'redis://x' }, c: { broker: 1 }, d: { broker: 'redis://x', pw: 1 } } }";
  await expect(load({ file })).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
  const { message } = (await load({ file }).catch((error: Error) => error as Error)) as Error;
  expect(message).toContain('profiles.a b must have a name of letters');
  expect(message).toContain('profiles.c.broker must be the URL of a broker');
  expect(message).toContain('profiles.d has no setting pw');
});

test('a profile that nobody has is refused, with a near name', async () => {
  await expect(load({ flags: { profile: 'prd' } })).rejects.toMatchObject({
    ...{ code: 'UNKNOWN_PROFILE', message: 'there is no profile "prd"; did you mean "prod"?' },
  });
});

test('explained, the broker of a profile says so', async () => {
  const explained = explainSettings(await load({ flags: { profile: 'prod' } }));
  expect(explained).toEqual(
    expect.arrayContaining([
      { name: 'profile', value: 'prod', source: 'flag', where: '--profile' },
      { name: 'broker', value: 'redis://prod', source: 'profile', where: 'profile prod' },
    ]),
  );
});

test('undo bundles lie in the folder of what is kept for a user, unless a setting says another', async () => {
  const { undo } = await load({ env: { XDG_STATE_HOME: '/state' } });
  expect(undo).toEqual({ dir: '/state/tq/undo', maxBytes: 2 ** 30, keepMs: 7 * 86_400_000 });
  const file = "{ undo: { dir: 'bundles', maxSize: '4GB', keep: '1d' } }";
  const settings = await load({ file });
  expect(settings.undo).toMatchObject({ maxBytes: 4 * 2 ** 30, keepMs: 86_400_000 });
  expect(settings.undo.dir).toMatch(/^\/.*\/bundles$/);
  const given = await load({ file, env: { TQ_UNDO_DIR: '/elsewhere', TQ_UNDO_MAX: '10MB', TQ_UNDO_KEEP: '2h' } });
  expect(given.undo).toEqual({ dir: '/elsewhere', maxBytes: 10 * 2 ** 20, keepMs: 7_200_000 });
});

import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFolderOfRun } from '../../../support/run-folder.ts';
import { FakeBroker } from '../../fake-broker.ts';
import { createFakeSession } from '../../fake-session.ts';
import { parseInput, usageFault } from '../../parse-input.ts';
import { run } from '../../run-fake.ts';

const PROD = 'redis://ops:hunter2@jobs.example.com:6379/0';

function setup() {
  const config = createFolderOfRun('config');
  const env = { XDG_CONFIG_HOME: config };
  const profile = (...argv: string[]) => run(['profile', ...argv], { env });
  const list = async () => JSON.parse((await profile('list', '--json')).stdout) as object[];
  return { env, file: join(config, 'tq', 'profiles.json'), profile, list };
}

describe('argv to input', () => {
  test.each([
    [['use', 'prod'], { name: 'prod' }],
    [['use', '--none'], { name: null }],
    [['remove', 'prod'], { name: 'prod' }],
    [['add', 'prod', '--protected'], { name: 'prod', results: undefined, isProtected: true }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('profile', ...argv)).toEqual(input);
  });

  test.each([
    [['use'], /neither a profile nor --none/],
    [['use', 'prod', '--none'], /a profile and --none/],
    [['add', 'a b'], /the name of a profile must be letters/],
    [['add', '__proto__'], /the name of a profile must be letters/],
    [['add'], /missing required argument/],
  ])('%j is refused', async (argv, message) => {
    expect(await usageFault('profile', ...argv)).toMatch(message);
  });
});

describe('the profiles of a user', () => {
  test('are added, listed without passwords, used and removed', async () => {
    const { profile, list } = setup();
    expect((await profile('list')).exitCode).toBe(0);
    const added = await profile('add', 'prod', '--broker', PROD, '--protected');
    expect(added).toMatchObject({
      ...{ exitCode: 0, stdout: 'profile prod (protected) is redis://***@jobs.example.com:6379/0\n' },
    });
    await profile('add', 'local', '--broker', 'sqlite:jobs.db', '--results', 'sqlite:results.db');
    expect(await profile('use', 'prod')).toMatchObject({ exitCode: 0, stdout: 'using profile prod\n' });
    expect(await list()).toEqual([
      {
        ...{ name: 'local', broker: expect.stringMatching(/^sqlite:\/.*jobs\.db$/), protected: false, current: false },
        ...{ results: expect.stringMatching(/^sqlite:\/.*results\.db$/), source: 'user' },
      },
      {
        ...{ name: 'prod', broker: 'redis://***@jobs.example.com:6379/0', results: null, protected: true },
        ...{ current: true, source: 'user' },
      },
    ]);
    await profile('remove', 'prod');
    await profile('use', '--none');
    expect(await list()).toMatchObject([{ name: 'local', current: false }]);
  });

  test('are in a file that only their user can read', async () => {
    const { profile, file } = setup();
    await profile('add', 'prod', '--broker', PROD);
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ current: null, profiles: { prod: { broker: PROD } } });
  });

  test('need a broker that can be one, and a name that is there', async () => {
    const { profile } = setup();
    expect((await profile('add', 'prod')).stderr).toContain('profile add prod was given no broker');
    expect((await profile('add', 'prod', '--broker', 'http://x')).stderr).toContain('[BROKER_URL_INVALID]');
    await profile('add', 'prod', '--broker', PROD);
    for (const word of ['use', 'remove']) {
      const ran = await profile(word, 'prd');
      expect(ran.exitCode).toBe(3);
      expect(ran.stderr).toContain('there is no profile "prd"; did you mean "prod"? [UNKNOWN_PROFILE]');
    }
  });

  test('in a broken file are told as that', async () => {
    const { profile, file } = setup();
    await profile('add', 'prod', '--broker', PROD);
    for (const text of ['{', '[]', '{"profiles":{"prod":{}}}', '{"profiles":{"prod":{"broker":"redis://x","pw":1}}}']) {
      await writeFile(file, text);
      const ran = await profile('list');
      expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[PROFILES_UNREADABLE]') });
    }
  });
});

describe('a protected profile', () => {
  async function guarded(jobs = 2) {
    const { env, profile } = setup();
    await profile('add', 'prod', '--broker', PROD, '--protected');
    const broker = new FakeBroker().store('high', ...Array.from({ length: jobs }, () => ({})));
    const session = createFakeSession(broker);
    const tq = (argv: string[], more: { answer?: boolean; typed?: string; env?: Record<string, string> } = {}) =>
      run([...argv, '--profile', 'prod'], { session, ...more, env: { ...env, ...more.env } });
    return { tq, left: () => broker.queue('high').jobs.size };
  }

  test('is read-only without --write: reads and dry runs go through', async () => {
    const { tq, left } = await guarded();
    const refused = await tq(['purge', '--all', '--yes']);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain('the profile prod is protected; nothing was changed [READ_ONLY]');
    expect(refused.stderr).toContain('add --write');
    expect(await tq(['inspect', 'queues'])).toMatchObject({ exitCode: 0 });
    expect(await tq(['purge', '--all', '--dry-run'])).toMatchObject({ exitCode: 0 });
    expect(left()).toBe(2);
  });

  test('serves no worker without --write', async () => {
    const { tq } = await guarded();
    expect(await tq(['worker'])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[READ_ONLY]') });
  });

  test('shows itself before a change, and in the question', async () => {
    const { tq, left } = await guarded();
    const ran = await tq(['purge', '--all', '--write'], { answer: true });
    expect(ran).toMatchObject({ exitCode: 0, questions: ['prod (protected): go on?'] });
    expect(ran.stderr).toMatch(/^profile prod \(protected\)\n/);
    expect(left()).toBe(0);
  });

  test('has the name of the queue typed above 100 jobs; --yes alone does not do', async () => {
    const { tq, left } = await guarded(101);
    const scripted = await tq(['purge', '--all', '--write', '--yes']);
    expect(scripted).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[NAME_NOT_CONFIRMED]') });
    const wrong = await tq(['purge', '--all', '--write'], { answer: true, typed: 'y' });
    expect(wrong).toMatchObject({ exitCode: 2, questions: ['prod (protected): type high to go on:'] });
    expect(left()).toBe(101);
    expect(await tq(['purge', '--all', '--write'], { typed: 'high ' })).toMatchObject({ exitCode: 0 });
    expect(left()).toBe(0);
  });

  test('takes the name from --confirm and TQ_CONFIRM', async () => {
    for (const [argv, env] of [
      [['--confirm', 'high'], {}],
      [[], { TQ_CONFIRM: 'high', TQ_WRITE: '1' }],
    ] as const) {
      const { tq, left } = await guarded(101);
      expect(await tq(['purge', '--all', '--write', '--yes', ...argv], { env })).toMatchObject({ exitCode: 0 });
      expect(left()).toBe(0);
    }
  });

  test('is written down with what was done', async () => {
    const { tq } = await guarded();
    await tq(['purge', '--all', '--write', '--yes']);
    const { stdout } = await tq(['audit', '--json']);
    expect(JSON.parse(stdout)).toMatchObject([{ profile: 'prod', changed: 2 }]);
  });
});

test('a profile that is used is said on stderr, whatever is asked', async () => {
  const { env, profile } = setup();
  await profile('add', 'local', '--broker', 'sqlite:jobs.db');
  await profile('use', 'local');
  const ran = await run(['inspect', 'queues'], { env });
  expect(ran.stderr).toContain('profile local\n');
  expect((await run(['inspect', 'queues', '--broker', 'sqlite:b.db'], { env })).stderr).not.toContain('profile local');
});

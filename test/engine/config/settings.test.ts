import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type BeatConfig,
  type Config,
  defineConfig,
  type UndoConfig,
  type WorkerConfig,
} from '../../../src/engine/config/config.ts';
import { explainSettings } from '../../../src/engine/config/explain.ts';
import { ONE_RUN_ONLY, SETTING_NAMES, type SettingName } from '../../../src/engine/config/schema.ts';
import { loadSettings } from '../../../src/engine/config/settings.ts';
import { TqError } from '../../../src/engine/core/errors.ts';
import { APP, createFolder } from './folder.ts';
import { callInPlainNode } from './plain-node.ts';

interface Given {
  flags?: Record<string, unknown>;
  env?: Record<string, string>;
  files?: Record<string, string>;
}

async function load({ flags = {}, env = {}, files = {} }: Given) {
  return loadSettings({ flags, env, cwd: await createFolder(files) });
}

async function mistakesOf(given: Given): Promise<string[]> {
  const error = await load(given).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TqError)) throw new Error('there was no mistake');
  expect(error.code).toBe('INVALID_CONFIG');
  expect(error.exitCode).toBe(2);
  return error.message
    .split('\n')
    .slice(1)
    .map((line) => line.replace(/^ {2}- /, ''));
}

const config = (text: string): Record<string, string> => ({ 'tq.config.ts': `export default ${text};` });

describe('without any source', () => {
  test('the defaults hold, and the broker is left to the app before it is the default one', async () => {
    const cwd = await createFolder();
    expect(await loadSettings({ env: { HOME: '/home/ada' }, cwd })).toEqual({
      app: undefined,
      exportedApp: undefined,
      broker: undefined,
      defaultBroker: `sqlite:${cwd}/.tq/tq.db`,
      json: false,
      quiet: false,
      color: undefined,
      logLevel: 'info',
      timeoutMs: undefined,
      yes: false,
      dryRun: false,
      write: false,
      confirm: undefined,
      profile: undefined,
      undo: { dir: '/home/ada/.local/state/tq/undo', maxBytes: 2 ** 30, keepMs: 7 * 86_400_000 },
      redact: [],
      alerts: [],
      worker: {
        concurrency: availableParallelism(),
        queues: undefined,
        excludeQueues: [],
        pool: 'prefork',
        autoscale: undefined,
        maxTasksPerChild: undefined,
        maxMemoryPerChild: undefined,
        name: 'tq@%h',
        queueOrder: 'strict',
        timeLimitMs: undefined,
        softTimeLimitMs: undefined,
        shutdownTimeoutMs: 25_000,
        lockDurationMs: 30_000,
        blockedAfterMs: 1000,
        healthPort: undefined,
        healthHost: undefined,
        pidfile: undefined,
        watch: false,
        logfile: undefined,
        burst: false,
        beat: false,
      },
      beat: {
        name: 'beat@%h',
        take: undefined,
        healthPort: undefined,
        healthHost: undefined,
        pidfile: undefined,
        logfile: undefined,
      },
      configFile: undefined,
      warnings: [],
      origins: new Map(),
    });
  });

  test('the environment of the process and the working directory are taken', async () => {
    expect((await loadSettings()).worker.queueOrder).toBe('strict');
  });
});

describe('precedence', () => {
  const files = config(`{ logLevel: 'error', timeout: 1000, worker: { concurrency: 2, timeLimit: '1h' } }`);
  const env = { TQ_LOG_LEVEL: 'warn', TQ_TIMEOUT: '2s', TQ_CONCURRENCY: '3' };

  test('a flag comes before the environment, the file and the default', async () => {
    const settings = await load({ flags: { logLevel: 'debug', timeout: '3s', concurrency: '4' }, env, files });
    expect(settings).toMatchObject({ logLevel: 'debug', timeoutMs: 3000, worker: { concurrency: 4 } });
  });

  test('the environment comes before the file and the default', async () => {
    expect(await load({ env, files })).toMatchObject({ logLevel: 'warn', timeoutMs: 2000, worker: { concurrency: 3 } });
  });

  test('the file comes before the default', async () => {
    const settings = await load({ files });
    expect(settings).toMatchObject({ logLevel: 'error', timeoutMs: 1000 });
    expect(settings.worker).toMatchObject({ concurrency: 2, timeLimitMs: 3_600_000 });
  });

  test('each setting is taken by itself', async () => {
    const settings = await load({ flags: { concurrency: '4' }, env: { TQ_TIMEOUT: '2s' }, files });
    expect(settings).toMatchObject({ logLevel: 'error', timeoutMs: 2000, worker: { concurrency: 4 } });
  });

  test('a switch that the environment turns off beats the file that turns it on', async () => {
    expect((await load({ env: { TQ_QUIET: '0' }, files: config('{ quiet: true }') })).quiet).toBe(false);
  });

  const sources = [
    ['--broker', { flags: { broker: 'redis://flag' } }, 'redis://flag'],
    ['TQ_BROKER_URL', { env: { TQ_BROKER_URL: 'redis://tq' } }, 'redis://tq'],
    ['REDIS_URL', { env: { REDIS_URL: 'redis://url' } }, 'redis://url'],
    ['REDIS_HOST', { env: { REDIS_HOST: 'host', REDIS_PASSWORD: 'a/b' } }, 'redis://:a%2Fb@host:6379/0'],
    ['the file', { files: config(`{ broker: 'redis://file' }`) }, 'redis://file'],
  ] as const;

  test.each(sources.map(([name], rank) => [name, rank] as const))(
    'the broker of %s comes before all sources after it',
    async (_, rank) => {
      const given = sources.slice(rank).reduceRight<Given>(
        (all, [, source]) => ({
          flags: { ...all.flags, ...('flags' in source && source.flags) },
          env: { ...all.env, ...('env' in source && source.env) },
          files: { ...all.files, ...('files' in source && source.files) },
        }),
        {},
      );
      expect((await load(given)).broker).toBe(sources[rank]?.[2]);
    },
  );
});

describe('the default broker', () => {
  test('lies beside the config file, wherever below it tq is started', async () => {
    const folder = await createFolder({ 'tq.config.ts': 'export default {};', 'deep/er/x.txt': '' });
    const settings = await loadSettings({ env: {}, cwd: join(folder, 'deep/er') });
    expect(settings).toMatchObject({ broker: undefined, defaultBroker: `sqlite:${folder}/.tq/tq.db` });
  });

  test('lies in the working directory where there is no config file', async () => {
    const cwd = join(await createFolder({ 'deep/x.txt': '' }), 'deep');
    expect((await loadSettings({ env: {}, cwd })).defaultBroker).toBe(`sqlite:${cwd}/.tq/tq.db`);
  });
});

describe('colours', () => {
  test.each<[Given, boolean | undefined]>([
    [{}, undefined],
    [{ flags: { color: true } }, undefined],
    [{ flags: { color: false }, env: { FORCE_COLOR: '1' } }, false],
    [{ env: { NO_COLOR: '1' } }, false],
    [{ env: { FORCE_COLOR: '1' }, files: config('{ noColor: true }') }, true],
    [{ files: config('{ noColor: true }') }, false],
  ])('%j gives color %s', async (given, color) => {
    expect((await load(given)).color).toBe(color);
  });
});

describe('the config file', () => {
  test('is found from the working directory upwards, and its paths are relative to its own folder', async () => {
    const folder = await createFolder({
      ...config(
        `{ app: 'src/app.ts', worker: { logfile: 'logs/tq.log', pidfile: 'tq.pid' }, beat: { logfile: 'logs/beat.log' } }`,
      ),
      'deep/er/x.txt': '',
    });
    const settings = await loadSettings({ env: {}, cwd: join(folder, 'deep/er') });
    expect(settings.configFile).toBe(join(folder, 'tq.config.ts'));
    expect(settings.app).toBe(join(folder, 'src/app.ts'));
    expect(settings.worker.logfile).toBe(join(folder, 'logs/tq.log'));
    expect(settings.worker.pidfile).toBe(join(folder, 'tq.pid'));
    expect(settings.beat.logfile).toBe(join(folder, 'logs/beat.log'));
  });

  test('names a SQLite file relative to its own folder, also one with spaces in its path', async () => {
    const folder = await createFolder({
      'with space/tq.config.ts': `export default { broker: 'sqlite:data/my jobs.db?synchronous=full' };`,
      'with space/deep/x.txt': '',
    });
    const settings = await loadSettings({ env: {}, cwd: join(folder, 'with space/deep') });
    expect(settings.broker).toBe(`sqlite:${folder}/with space/data/my jobs.db?synchronous=full`);
  });

  test('is TypeScript that Node itself runs', async () => {
    const text = `import type { X } from 'nowhere'; const level: string = 'debug'; export default { logLevel: level };`;
    const cwd = await createFolder({ 'tq.config.ts': text });
    const module = new URL('../../../src/engine/config/settings.ts', import.meta.url);
    expect(await callInPlainNode(module, 'loadSettings', { env: {}, cwd })).toMatchObject({ logLevel: 'debug' });
  });

  test.each([
    ['as `app` beside its settings', `export const app = ${APP}; export default { quiet: true };`, true],
    ['as `app` alone', `export const app = ${APP};`, false],
    ['as default', `export default ${APP};`, false],
    ['as the setting app', `export default { app: ${APP}, quiet: true };`, true],
  ])('may export an app %s', async (_, text, quiet) => {
    const settings = await load({ files: { 'tq.config.mjs': text } });
    expect(settings).toMatchObject({ exportedApp: { name: 'app' }, app: undefined, quiet });
  });

  test('exports an app in vain when a flag names another', async () => {
    const cwd = await createFolder({ 'tq.config.mjs': `export default ${APP};` });
    const settings = await loadSettings({ flags: { app: 'other.ts' }, env: {}, cwd });
    expect(settings).toMatchObject({ app: join(cwd, 'other.ts'), exportedApp: undefined });
  });

  test('is called what it is from where tq was started', async () => {
    const folder = await createFolder({ ...config('{ json: 1 }'), 'deep/x.txt': '' });
    const loading = loadSettings({ env: {}, cwd: join(folder, 'deep') });
    await expect(loading).rejects.toThrow('../tq.config.ts: json must be true or false, got 1');
  });

  test.each([
    ['export const other = 1;', 'tq.config.mjs exports no settings; write export default defineConfig({ … })'],
    ['export default [];', 'tq.config.mjs: the default export must be an object of settings or an app'],
    ['export default { worker: 4 };', 'tq.config.mjs: worker must be an object of settings'],
    ['export const app = {}; export default {};', 'tq.config.mjs: the export `app` must be the value of createApp()'],
    [
      'export default { yes: true };',
      'tq.config.mjs: yes cannot stand in a file; give it as a flag or as an environment variable',
    ],
    [
      `export const app = ${APP}; export default { app: 'x.ts' };`,
      'tq.config.mjs: `app` names a module and the file exports an app too; keep one of them',
    ],
    ['export default { app: {} };', 'tq.config.mjs: app must be the path of a file, got {}'],
    [`throw new Error('redis://:hunter2@x');`, 'tq.config.mjs cannot be imported: redis://***@x'],
  ])('that holds %s is a mistake', async (text, mistake) => {
    expect(await mistakesOf({ files: { 'tq.config.mjs': text } })).toEqual([mistake]);
  });

  test('keeps what it threw as the cause', async () => {
    const loading = load({ files: { 'tq.config.mjs': `throw new Error('boom');` } });
    await expect(loading).rejects.toMatchObject({ cause: { message: 'boom' } });
  });

  test.each([
    ['{ logLvel: 1 }', 'logLvel; did you mean logLevel?'],
    ['{ concurrency: 1 }', 'concurrency; did you mean worker.concurrency?'],
    ['{ worker: { concurency: 1 } }', 'worker.concurency; did you mean worker.concurrency?'],
    ['{ worker: { broker: 1 } }', 'worker.broker; did you mean broker?'],
    ['{ zzzzzz: 1 }', 'zzzzzz'],
  ])('that has the unknown setting of %s gets the nearest name', async (text, unknown) => {
    expect(await mistakesOf({ files: config(text) })).toEqual([`tq.config.ts: there is no setting ${unknown}`]);
  });
});

describe('mistakes', () => {
  test('of the file, the environment and the flags are all named at once, each with its place', async () => {
    const mistakes = await mistakesOf({
      files: config(`{ logLevel: 'loud', nope: 1, nada: 2, worker: { concurrency: 'many', brust: true } }`),
      env: { TQ_LOCK_DURATION: '1s', TQ_JSON: 'maybe', REDIS_PORT: 'x' },
      flags: { concurrency: '0', timeout: '30' },
    });
    expect(mistakes).toEqual([
      'tq.config.ts: there is no setting nope',
      'tq.config.ts: there is no setting nada',
      'tq.config.ts: there is no setting worker.brust; did you mean worker.burst?',
      'REDIS_PORT must be a whole number from 1 to 65535, got "x"',
      'TQ_JSON must be true or false, got "maybe"',
      'tq.config.ts: logLevel must be one of trace, debug, info, warn, error, fatal, silent, got "loud"',
      '--timeout must be a duration of 1ms or more, such as 30s, 5m or 2h, got "30"',
      '--concurrency must be a whole number from 1 to 10000, got 0',
      'tq.config.ts: worker.concurrency must be a whole number from 1 to 10000, got "many"',
      'TQ_LOCK_DURATION must be a duration of 5s or more, such as 30s, 5m or 2h, got "1s"',
    ]);
  });

  test.each([
    ['concurrency', '1e3'],
    ['concurrency', '10001'],
    ['pool', 'threads'],
    ['autoscale', '2,8'],
    ['autoscale', '8,0'],
    ['autoscale', '8,2,1'],
    ['autoscale', 'many'],
    ['maxTasksPerChild', '0'],
    ['maxMemoryPerChild', '0'],
    ['maxMemoryPerChild', '500 apples'],
    ['maxMemoryPerChild', '900KB'],
    ['concurrency', '2.5'],
    ['timeLimit', '-5s'],
    ['timeLimit', '0s'],
    ['timeLimit', '4000d'],
    ['queues', 'a,,b'],
    ['queues', 'a:b'],
    ['queueOrder', 'random'],
    ['name', 'a b'],
    ['app', ''],
    ['logfile', ' '],
    ['broker', 'localhost'],
    ['broker', 'sqlite:'],
  ])('include --%s with the value "%s"', async (flag, value) => {
    expect(await mistakesOf({ flags: { [flag]: value } })).toHaveLength(1);
  });

  test.each([
    `{ timeout: NaN }`,
    `{ timeout: -1 }`,
    `{ timeout: null }`,
    `{ timeout: () => 1 }`,
    `{ timeout: 10n }`,
    `{ redact: 'password' }`,
    `{ redact: ['a..b'] }`,
    `{ redact: [''] }`,
    `{ redact: ['a[b'] }`,
    `{ worker: { concurrency: '4' } }`,
    `{ worker: { burst: 'yes' } }`,
    `{ worker: { autoscale: 8 } }`,
    `{ worker: { autoscale: { max: 8, mni: 2 } } }`,
  ])('include a file with %s', async (text) => {
    expect(await mistakesOf({ files: config(text) })).toHaveLength(1);
  });

  test('include a soft limit that is not shorter than the limit, whichever sources they come from', async () => {
    const mistakes = await mistakesOf({
      flags: { softTimeLimit: '1m' },
      files: config(`{ worker: { timeLimit: '30s' } }`),
    });
    expect(mistakes).toEqual([
      '--soft-time-limit (60000 ms) must be shorter than tq.config.ts: worker.timeLimit (30000 ms)',
    ]);
  });

  test('of the variables of Redis do not count when a better source names the broker', async () => {
    const env = { REDIS_PORT: 'x', TQ_BROKER_URL: 'redis://tq' };
    expect((await load({ env })).broker).toBe('redis://tq');
    expect((await load({ env: { REDIS_PORT: 'x' }, flags: { broker: 'redis://flag' } })).broker).toBe('redis://flag');
  });

  test('never show a password', async () => {
    const given: Given[] = [
      { flags: { broker: 'hunter2' } },
      { flags: { broker: 'redis://:hun ter2@x' } },
      { env: { TQ_BROKER_URL: '://me:hunter2@x' } },
      { env: { REDIS_URL: 'me:hunter2@x y' } },
      { env: { REDIS_PASSWORD: 'hunter2', REDIS_PORT: 'x' } },
      { files: config(`{ broker: { host: 'x', password: 'hunter2' } }`) },
      { files: config(`{ broker: ['redis://:hunter2@x'] }`) },
      { files: { 'tq.config.mjs': `throw new Error('at postgres://me:hunter2@x/y')` } },
    ];
    for (const source of given) expect((await mistakesOf(source)).join()).not.toMatch(/hun ?ter2/);
  });

  test('show control characters and cut what is long', async () => {
    const [mistake] = await mistakesOf({ flags: { queueOrder: `\u001b[31m${'x'.repeat(500)}` } });
    expect(mistake).not.toContain('\u001b');
    expect(mistake?.length).toBeLessThan(180);
  });
});

test('an unknown TQ_ variable stops nothing and is a warning', async () => {
  expect((await load({ env: { TQ_BROKER: 'redis://x' } })).warnings).toEqual([
    'TQ_BROKER is no variable of tq; did you mean TQ_BROKER_URL?',
  ]);
});

test('flags that are no settings are left alone', async () => {
  expect((await load({ flags: { wait: true, args: '[]' } })).json).toBe(false);
});

test('names of queues are given once each', async () => {
  expect((await load({ flags: { queues: 'a,b,a' } })).worker.queues).toEqual(['a', 'b']);
  expect((await load({ flags: { queues: ['a', 'b'] } })).worker.queues).toEqual(['a', 'b']);
});

test.each([
  [{ flags: { maxMemoryPerChild: '200' } }, 200 * 2 ** 20],
  [{ env: { TQ_MAX_MEMORY_PER_CHILD: '1.5GB' } }, 1.5 * 2 ** 30],
  [{ files: config('{ worker: { maxMemoryPerChild: 64 } }') }, 64 * 2 ** 20],
  [{ files: config(`{ worker: { maxMemoryPerChild: '64MB' } }`) }, 64 * 2 ** 20],
])('a limit of memory is MiB when it has no unit: %j', async (given, bytes) => {
  expect((await load(given)).worker.maxMemoryPerChild).toBe(bytes);
});

test.each([
  [{ flags: { autoscale: '8,2' } }, { max: 8, min: 2 }],
  [{ env: { TQ_AUTOSCALE: '8' } }, { max: 8, min: 1 }],
  [{ files: config('{ worker: { autoscale: { max: 8 } } }') }, { max: 8, min: 1 }],
])('autoscale has a maximum, and a minimum of 1 unless it says another: %j', async (given, bounds) => {
  expect((await load(given)).worker.autoscale).toEqual(bounds);
});

test('alerts are rules, whose mistakes are named without what may be secret', async () => {
  const rule = { webhook: 'https://chat.example/T0K3N', threshold: 3 };
  const { alerts } = await load({ files: config(JSON.stringify({ alerts: [rule] })) });
  expect(alerts).toMatchObject([{ ...rule, name: '3 dead letters in 5m' }]);
  const wrong = [{ ...rule, secret: 'T0K3N', threshold: 0 }, { webhook: 'T0K3N' }];
  const mistakes = await mistakesOf({ files: config(JSON.stringify({ alerts: wrong })) });
  expect(mistakes).toEqual([
    expect.stringMatching(
      /^tq\.config\.ts: alerts: threshold of alerts\[0\] must be .*; secret of alerts\[0\] must be .*; webhook of alerts\[1\]/,
    ),
  ]);
  expect(mistakes.join()).not.toContain('T0K3N');
});

test('a report shows where alerts go, and neither the path of a webhook nor what signs', async () => {
  const rules = [
    { webhook: 'https://chat.example/T0K3N', secret: 'S3CR3T of it' },
    { name: 'b', email: 'a@x.example' },
  ];
  const settings = await load({ files: config(JSON.stringify({ alerts: rules })) });
  const shown = explainSettings(settings).find(({ name }) => name === 'alerts')?.value;
  expect(shown).toMatchObject([
    { webhook: 'https://chat.example/***', secret: '***' },
    { webhook: null, secret: null, email: ['a@x.example'] },
  ]);
});

test('redact takes the notation of pino', async () => {
  const paths = ['password', 'user.email', '*.token', 'headers["set-cookie"]', 'list[*].key', 'a[0].b'];
  expect((await load({ files: config(JSON.stringify({ redact: paths })) })).redact).toEqual(paths);
});

test('explained, each setting has its value and its source, and the password of the broker is masked', async () => {
  const settings = await load({
    flags: { concurrency: '4', color: false },
    env: { TQ_BROKER_URL: 'redis://:hunter2@x', TQ_TIMEOUT: '2s' },
    files: config(`{ worker: { burst: true } }`),
  });
  const explained = explainSettings(settings);
  expect(explained.map(({ name }) => name)).toEqual(SETTING_NAMES);
  expect(explained).toEqual(
    expect.arrayContaining([
      { name: 'worker.concurrency', value: 4, source: 'flag', where: '--concurrency' },
      { name: 'noColor', value: true, source: 'flag', where: '--no-color' },
      { name: 'broker', value: 'redis://***@x', source: 'environment', where: 'TQ_BROKER_URL' },
      { name: 'timeout', value: 2000, source: 'environment', where: 'TQ_TIMEOUT' },
      { name: 'worker.burst', value: true, source: 'file', where: 'tq.config.ts: worker.burst' },
      { name: 'worker.lockDuration', value: 30_000, source: 'default', where: null },
      { name: 'app', value: null, source: 'default', where: null },
    ]),
  );
});

test('explained, the broker that nobody named is the default one', async () => {
  const cwd = await createFolder();
  const [broker] = explainSettings(await loadSettings({ env: {}, cwd })).filter(({ name }) => name === 'broker');
  expect(broker).toEqual({ name: 'broker', value: `sqlite:${cwd}/.tq/tq.db`, source: 'default', where: null });
});

type OneRun = 'profile' | 'yes' | 'dryRun' | 'write' | 'confirm';

test('a flag of both services is wrong once', async () => {
  expect(await mistakesOf({ flags: { healthPort: '70000' } })).toEqual([
    '--health-port must be a whole number from 0 to 65535, got 70000',
  ]);
});

test('the beat takes its variables and its part of the file', async () => {
  const files = config(`{ beat: { name: 'beat@box', healthPort: 8081, take: 'stored' }, worker: { beat: true } }`);
  const settings = await load({ files, env: { TQ_BEAT_TAKE: 'code', TQ_BEAT_HEALTH_HOST: '127.0.0.1' } });
  expect(settings.beat).toMatchObject({ name: 'beat@box', healthPort: 8081, healthHost: '127.0.0.1', take: 'code' });
  expect(settings.worker).toMatchObject({ beat: true, healthPort: undefined, healthHost: undefined });
  expect(await mistakesOf({ files: config(`{ beat: { tkae: 'code' } }`) })).toEqual([
    expect.stringContaining('there is no setting beat.tkae; did you mean beat.take?'),
  ]);
  expect(await mistakesOf({ files: config(`{ beat: true }`) })).toEqual([
    expect.stringContaining('beat must be an object of settings'),
  ]);
});

test('defineConfig knows every setting that a file may hold, and gives its argument back', () => {
  const given = { logLevel: 'warn', worker: { concurrency: 2 } } as const satisfies Config;
  expect(defineConfig(given)).toBe(given);
  expectTypeOf<Exclude<keyof Config, 'worker' | 'beat' | 'undo' | 'profiles'> | OneRun>().toEqualTypeOf<
    Exclude<SettingName, `worker.${string}` | `beat.${string}` | `undo.${string}`>
  >();
  expectTypeOf<`undo.${keyof UndoConfig}`>().toEqualTypeOf<Extract<SettingName, `undo.${string}`>>();
  expectTypeOf<`beat.${keyof BeatConfig}`>().toEqualTypeOf<Extract<SettingName, `beat.${string}`>>();
  expectTypeOf<`worker.${keyof WorkerConfig}`>().toEqualTypeOf<Extract<SettingName, `worker.${string}`>>();
  expect(ONE_RUN_ONLY).toEqual(['profile', 'yes', 'dryRun', 'write', 'confirm'] satisfies OneRun[]);
});

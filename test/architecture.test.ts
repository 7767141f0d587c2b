import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  findConsole,
  findEnvironmentReads,
  findExits,
  findProcessImports,
  findUninjectedTime,
} from './support/architecture/code-rules.ts';
import { findImportCycles } from './support/architecture/import-cycles.ts';
import { findLayerFaults, levels } from './support/architecture/layers.ts';
import { findBarrels, findImportsWithoutExtension, findStrayPackages } from './support/architecture/module-rules.ts';
import { findBadNames, findPrivateExports } from './support/architecture/name-rules.ts';
import { listSourceFiles, parseSource, type SourceFile } from './support/architecture/source-file.ts';
import { projectFolder } from './support/project-folder.ts';

type Rule = (files: readonly SourceFile[]) => string[];
type Samples = Record<string, string>;

interface RuleRow {
  readonly rule: string;
  readonly find: Rule;
  /** Files that break the rule, and what is said about each fault, in order. */
  readonly wrong: Samples;
  readonly faults: readonly string[];
  /** Files that come close and keep it. */
  readonly right: Samples;
}

const parse = (samples: Samples): SourceFile[] =>
  Object.entries(samples).map(([path, text]) => parseSource(path, text));

const rules: readonly RuleRow[] = [
  {
    rule: 'a file imports its own folder or a lower level',
    find: findLayerFaults,
    wrong: {
      'src/engine/core/job.ts': "import type { Broker } from '../broker/port.ts';",
      'src/engine/runtime/log.ts': "export { config } from '../config/config.ts';",
      'src/engine/task/call.ts': "const hooks = await import('../events/hooks.ts');",
      'src/engine/canvas/chain.ts': "type Worker = import('../worker/worker.ts').Worker;",
      'src/engine/worker/slot.ts': "import { run } from '../../ops/run.ts';",
      'src/tasks/email.ts': "import { open } from '../engine/broker/open.ts';",
      'src/engine/app/create-app.ts': "import { createApp } from '../../index.ts';",
      'src/cli/main.ts': "import { serve } from '../web/serve.ts';",
      'src/cli/commands/web.ts': "import { serve } from '../../web/serve.ts';",
      'src/ui/table.ts': "import { createTable } from '../cli/table.ts';",
      'src/extra/thing.ts': 'export const thing = 1;',
    },
    faults: [
      'src/engine/core/job.ts:1 imports src/engine/broker/port.ts, which is not below src/engine/core/',
      'src/engine/runtime/log.ts:1 imports src/engine/config/config.ts, which is not below src/engine/runtime/',
      'src/engine/task/call.ts:1 imports src/engine/events/hooks.ts, which is not below src/engine/task/',
      'src/engine/canvas/chain.ts:1 imports src/engine/worker/worker.ts, which is not below src/engine/canvas/',
      'src/engine/worker/slot.ts:1 imports src/ops/run.ts, which is not below src/engine/worker/',
      'src/tasks/email.ts:1 imports src/engine/broker/open.ts, which is not below src/tasks/',
      'src/engine/app/create-app.ts:1 imports src/index.ts, which is not below src/engine/app/',
      'src/cli/main.ts:1 imports src/web/serve.ts, which is not below src/cli/',
      'src/cli/commands/web.ts:1 imports src/web/serve.ts, which is not below src/cli/',
      'src/ui/table.ts:1 imports src/cli/table.ts, which is not below src/ui/',
      'src/extra/thing.ts is in no folder of the design; add its level to layers.ts',
    ],
    right: {
      'src/engine/config/config.ts': "import { log } from '../runtime/log.ts'; import './schema.ts';",
      'src/engine/worker/worker.ts': "import { chain } from '../canvas/chain.ts'; import '../task/context.ts';",
      'src/tasks/email.ts': "import { task } from '../engine/task/definition.ts'; import '../engine/core/job.ts';",
      'src/engine/app/create-app.ts': "import { email } from '../../tasks/email.ts';",
      'src/cli/commands/web.ts': "const { serve } = await import('../../web/serve.ts');",
      'src/cli/commands/ui/open.ts': "const { open } = await import('../../../ui/open.ts');",
    },
  },
  {
    rule: 'no file reaches itself by imports, type imports included',
    find: findImportCycles,
    wrong: {
      'src/engine/core/a.ts': "import type { B } from './b.ts';",
      'src/engine/core/b.ts': "export { c } from './c.ts';",
      'src/engine/core/c.ts': "const a = import('./a.ts');",
      'src/engine/core/d.ts': "import './a.ts'; import './d.ts';",
    },
    faults: [
      'import each other: src/engine/core/a.ts, src/engine/core/b.ts, src/engine/core/c.ts',
      'import each other: src/engine/core/d.ts',
    ],
    right: {
      'src/engine/core/a.ts': "import './b.ts'; import './c.ts';",
      'src/engine/core/b.ts': "import './c.ts';",
      'src/engine/core/c.ts': "import 'node:fs';",
    },
  },
  {
    rule: 'no barrels except src/index.ts and src/testing.ts',
    find: findBarrels,
    wrong: {
      'src/engine/core/all.ts': "export * from './a.ts'; export const own = 1;",
      'src/engine/core/names.ts': "export { a } from './a.ts'; export type { B } from './b.ts';",
      'src/engine/core/detour.ts': "import { a } from './a.ts'; export { a };",
    },
    faults: [
      'src/engine/core/all.ts has "export *": name what it exports',
      'src/engine/core/names.ts only passes on what others export: import from them',
      'src/engine/core/detour.ts only passes on what others export: import from them',
    ],
    right: {
      'src/index.ts': "export * from './engine/app/create-app.ts';",
      'src/testing.ts': "export { a } from './engine/core/a.ts';",
      'src/engine/core/a.ts': "export { b } from './b.ts'; export function a() {}",
    },
  },
  {
    rule: 'a package that one folder owns is imported there alone',
    find: findStrayPackages,
    wrong: {
      'src/engine/worker/worker.ts': "import type { Job } from 'bullmq'; const Redis = import('ioredis');",
      'src/engine/results/rows.ts': "import pg from 'pg'; import 'pg/lib/type-overrides.js'; import 'node:sqlite';",
      'src/engine/results/query.ts': "import { sql } from 'kysely';",
      'src/ops/run.ts': "type Command = import('commander').Command;",
      'src/cli/table.ts': "import { Box } from 'ink'; import 'react/jsx-runtime';",
      'src/cli/main.ts': "import http from 'node:http'; import 'https'; import 'node:http2';",
    },
    faults: [
      'src/engine/worker/worker.ts:1 imports bullmq, which belongs to src/engine/broker/ alone',
      'src/engine/worker/worker.ts:1 imports ioredis, which belongs to src/engine/broker/ alone',
      'src/engine/results/rows.ts:1 imports pg, which belongs to src/engine/broker/ alone',
      'src/engine/results/rows.ts:1 imports pg/lib/type-overrides.js, which belongs to src/engine/broker/ alone',
      'src/engine/results/rows.ts:1 imports node:sqlite, which belongs to src/engine/broker/ alone',
      'src/engine/results/query.ts:1 imports kysely, which belongs to src/engine/broker/ alone',
      'src/ops/run.ts:1 imports commander, which belongs to src/cli/ alone',
      'src/cli/table.ts:1 imports ink, which belongs to src/ui/ alone',
      'src/cli/table.ts:1 imports react/jsx-runtime, which belongs to src/ui/ alone',
      "src/cli/main.ts:1 imports node:http, which belongs to src/web/ and the worker's health port alone",
      "src/cli/main.ts:1 imports https, which belongs to src/web/ and the worker's health port alone",
      "src/cli/main.ts:1 imports node:http2, which belongs to src/web/ and the worker's health port alone",
    ],
    right: {
      'src/engine/broker/redis/client.ts': "import { Redis } from 'ioredis'; import 'bullmq';",
      'src/engine/core/name.ts': "import 'pgpass'; import 'bullmq-like';",
      'src/cli/health-port.ts': "import { createServer } from 'node:http';",
      'src/web/serve.ts': "import { createServer } from 'node:http';",
      'src/ui/screen.tsx': "import { Box } from 'ink'; export const screen = <Box />;",
    },
  },
  {
    rule: 'a relative import names the file with its ending',
    find: findImportsWithoutExtension,
    wrong: { 'src/engine/core/a.ts': "import './b';\nimport type { C } from './c.js';" },
    faults: [
      'src/engine/core/a.ts:1 imports ./b, which does not end in .ts',
      'src/engine/core/a.ts:2 imports ./c.js, which does not end in .ts',
    ],
    right: { 'src/engine/core/a.ts': "import './b.ts'; import './c.tsx'; import 'd'; import '@e/f';" },
  },
  {
    rule: 'the environment is read in src/engine/config/ alone',
    find: findEnvironmentReads,
    wrong: {
      'src/cli/a.ts': "const a = process.env['A'];\nconst b = process['env'];",
      'src/cli/b.ts': 'const c = globalThis.process.env; const { env } = process;',
    },
    faults: [
      'src/cli/a.ts:1 reads process.env: take it from the configuration',
      'src/cli/a.ts:2 reads process.env: take it from the configuration',
      'src/cli/b.ts:1 reads process.env: take it from the configuration',
      'src/cli/b.ts:1 reads process.env: take it from the configuration',
    ],
    right: {
      'src/engine/config/environment.ts': 'export const environment = process.env;',
      'src/cli/a.ts': '// process.env\nconst { platform } = process; export const text = "process.env" + options.env;',
    },
  },
  {
    rule: 'the process is ended by src/cli/main.ts alone',
    find: findExits,
    wrong: { 'src/ops/a.ts': 'process.exit(1);\nprocess.exitCode = 1;\nconst { exit: leave } = process;' },
    faults: [1, 2, 3].map(
      (line) => `src/ops/a.ts:${line} ends the process: throw, and let src/cli/main.ts pick the exit code`,
    ),
    right: {
      'src/cli/main.ts': 'process.exitCode = 1;',
      'src/ops/a.ts': 'export const { exitCode } = failure; process.on("exit", stop);',
    },
  },
  {
    rule: 'nothing uses the console',
    find: findConsole,
    wrong: { 'src/cli/main.ts': 'console.log(1);\nconst { error } = console;' },
    faults: [1, 2].map((line) => `src/cli/main.ts:${line} uses console: log or print through what is given`),
    right: { 'src/cli/main.ts': 'export const a = screen.console; export const b = { console: 1 }; // console.log' },
  },
  {
    rule: 'engine code takes its time from a clock, which src/engine/runtime/ makes',
    find: findUninjectedTime,
    wrong: {
      'src/engine/worker/a.ts': [
        'Date.now();',
        'performance.now();',
        'new Date();',
        'Date();',
        'process.hrtime.bigint();',
        'list.map(Date.now);',
      ].join('\n'),
    },
    faults: [1, 2, 3, 4, 5, 6].map(
      (line) => `src/engine/worker/a.ts:${line} asks the machine for the time: use the Clock that is given`,
    ),
    right: {
      'src/engine/runtime/system-clock.ts': 'Date.now(); performance.now();',
      'src/engine/worker/a.ts': 'clock.now(); new Date(clock.now()); new Date(0);',
      'src/cli/a.ts': 'new Date();',
    },
  },
  {
    rule: 'process is the global, so that the rules about it can see it',
    find: findProcessImports,
    wrong: { 'src/ops/a.ts': "import { env } from 'node:process';" },
    faults: ['src/ops/a.ts:1 imports node:process: use the global process'],
    right: { 'src/ops/a.ts': "import { spawn } from 'node:child_process';" },
  },
  {
    rule: 'names are kebab-case and say what is in the file',
    find: (files) => findBadNames(files.map(({ path }) => path)),
    wrong: { 'src/ops/purgeQueues.ts': '', 'src/engine/utils/text.ts': '', 'src/cli/queue-manager.ts': '' },
    faults: [
      'src/ops/purgeQueues.ts: "purgeQueues" is not kebab-case',
      'src/engine/utils/text.ts: "utils" does not say what is in it; name the thing of the domain',
      'src/cli/queue-manager.ts: "manager" does not say what is in it; name the thing of the domain',
    ],
    right: { 'src/ops/purge-queues.ts': '', 'src/engine/core/prototypes.ts': '', 'src/ui/screen.tsx': '' },
  },
];

describe('the source', () => {
  const files = listSourceFiles();

  test('is there to be checked, with its imports', () => {
    const places = levels.flat().filter((place) => files.some(({ path }) => path.startsWith(place)));
    expect(places).toContain('src/engine/core/');
    expect(places).toContain('src/engine/broker/');
    expect(files.flatMap(({ imports }) => imports).length).toBeGreaterThan(files.length);
  });

  test.each(rules)('keeps the rule: $rule', ({ find }) => {
    expect(find(files)).toEqual([]);
  });

  test('exports nothing but the public entries', () => {
    const manifest = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
    expect(Object.keys(manifest.exports)).toContain('.');
    expect(findPrivateExports(manifest.exports)).toEqual([]);
  });
});

describe('the rules themselves', () => {
  test.each(rules)('find what breaks: $rule', ({ find, wrong, faults }) => {
    expect(find(parse(wrong))).toEqual(faults);
  });

  test.each(rules)('let pass what keeps: $rule', ({ find, right }) => {
    expect(find(parse(right))).toEqual([]);
  });

  test('find a private entry of the package', () => {
    expect(findPrivateExports({ '.': {}, './sqlite': {}, './testing': {}, './engine/*': {} })).toEqual([
      'package.json exports "./engine/*"; public are ., ./sqlite, ./testing',
    ]);
  });

  test('refuse a file that cannot be parsed', () => {
    expect(() => parseSource('src/ops/a.ts', 'const = 1')).toThrow(/src\/ops\/a\.ts cannot be parsed/);
  });
});

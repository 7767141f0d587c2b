import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openHealthPort } from '../../src/cli/health-port.ts';
import { parseCommandLine } from '../../src/cli/program.ts';
import { parseDuration } from '../../src/engine/core/duration.ts';
import { projectFolder } from '../support/project-folder.ts';

const page = readFileSync(join(projectFolder, 'docs/worker.md'), 'utf8');

function readBlock(language: string): string {
  const [, block] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page) ?? [];
  if (block === undefined) throw new Error(`docs/worker.md shows no ${language}`);
  return block;
}

function readField(block: string, pattern: RegExp): string {
  const [, field] = pattern.exec(block) ?? [];
  if (field === undefined) throw new Error(`the block shows no ${pattern}`);
  return field;
}

/** The options of a worker's command line, which must be ones that it has. */
async function readOptions(words: readonly string[]): Promise<Record<string, string>> {
  expect(words[0]).toMatch(/node_modules\/\.bin\/tq$/);
  const request = await parseCommandLine(words.slice(1));
  if (request.kind !== 'run') throw new Error('it runs no command');
  expect(request.command.name).toBe('worker');
  return request.values.options as Record<string, string>;
}

async function statusOf(path: string): Promise<number> {
  const port = await openHealthPort('127.0.0.1', 0);
  try {
    return (await fetch(`http://127.0.0.1:${port.port}${path}`)).status;
  } finally {
    await port.close();
  }
}

describe('the Deployment of docs/worker.md', () => {
  const yaml = readBlock('yaml');
  const command = readField(yaml, /command: \[(.*)\]/)
    .split(', ')
    .map((word) => word.replaceAll(/['"]/g, ''));

  test('has probes that ask the port which its worker opens, and paths that it answers', async () => {
    const { healthPort } = await readOptions(command);
    const [, name, containerPort] = /\{ name: (\w+), containerPort: (\d+) \}/.exec(yaml) ?? [];
    expect(containerPort).toBe(healthPort);
    const probes = [...yaml.matchAll(/(\w+)Probe:\n +httpGet: \{ path: (\S+), port: (\w+) \}/g)];
    expect(probes.map(([, kind, path, port]) => [kind, path, port])).toEqual([
      ['liveness', '/healthz', name],
      ['readiness', '/readyz', name],
    ]);
    expect(await statusOf('/healthz')).toBe(200);
    expect(await statusOf('/readyz')).toBe(503);
  });

  test('grants more time than its worker takes to stop', async () => {
    const { shutdownTimeout } = await readOptions(command);
    const grantedMs = 1000 * Number(readField(yaml, /terminationGracePeriodSeconds: (\d+)/));
    expect(grantedMs).toBeGreaterThan(parseDuration(shutdownTimeout ?? '', 'shutdown timeout') + 11_000);
  });
});

test('the unit of docs/worker.md asks the port which its worker opens, and grants the time that it takes to stop', async () => {
  const unit = readBlock('ini');
  const options = await readOptions(readField(unit, /^ExecStart=(.*)$/m).split(' '));
  const url = new URL(readField(unit, /^ExecStartPost=.* (http:\S+)$/m));
  expect([url.hostname, url.port, url.pathname]).toEqual([options['healthHost'], options['healthPort'], '/readyz']);
  const grantedMs = 1000 * Number(readField(unit, /^TimeoutStopSec=(\d+)$/m));
  expect(grantedMs).toBeGreaterThan(parseDuration(options['shutdownTimeout'] ?? '', 'shutdown timeout') + 11_000);
});

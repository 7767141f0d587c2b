import { describe, expect, test } from 'vitest';
import { WorkflowStore } from '../../../src/engine/canvas/workflow-store.ts';
import type { StoredJob } from '../../../src/engine/core/job.ts';
import type { JobState } from '../../../src/engine/core/state.ts';
import { group, task, type Written, writeGraph } from '../../engine/canvas/written-graph.ts';
import { FakeBroker, NOW } from '../fake-broker.ts';
import { createFakeSession } from '../fake-session.ts';
import { parseInput, usageFault } from '../parse-input.ts';
import { type Ran, run } from '../run-fake.ts';

describe('argv to input', () => {
  test.each([
    [['x'], { id: 'x', queue: undefined }],
    [['x', '--queue', 'mail', '--all', '--mermaid'], { id: 'x', queue: 'mail' }],
  ])('%j', async (argv, input) => {
    expect(await parseInput('trace', ...argv)).toEqual(input);
  });

  test('an id must be given', async () => {
    expect(await usageFault('trace')).toMatch(/missing required argument 'id'/);
  });
});

const BEGAN_AT = NOW - 60_000;

interface Story {
  readonly broker: FakeBroker;
  readonly written: Written;
  trace(argv?: readonly string[], columns?: number): Promise<Ran>;
}

/** chain(fetch, chord(resize, resize, montage), mail), in the middle of it. */
async function tell(whole: JobState = 'BLOCKED'): Promise<Story> {
  const written = writeGraph(
    [
      task('fetch', { next: 1 }),
      group([2, 3], { next: 4 }),
      task('images.resize', { within: 1 }),
      task('images.resize', { within: 1, linkErrors: [6] }),
      task('montage', { joins: 1, next: 5 }),
      task('mail'),
      task('sorry', { aside: true }),
    ],
    { createdAt: BEGAN_AT },
  );
  const broker = new FakeBroker();
  await written.save(new WorkflowStore(broker.state));
  broker.store('default', { ...written.anchor(), state: whole });
  const add = (place: number, given: Partial<StoredJob>): void => {
    broker.store('default', { ...written.jobOf(place), ...given });
  };
  const from = (created: number, started: number, finished?: number): Partial<StoredJob> => ({
    createdAt: BEGAN_AT + created,
    startedAt: BEGAN_AT + started,
    finishedAt: finished === undefined ? null : BEGAN_AT + finished,
    attempts: 1,
  });
  const error = { name: 'TypeError', message: 'no \u001b[31mfile\nsecond line', code: null, stack: null };
  add(0, { ...from(0, 10_000, 20_000), state: 'SUCCESS', worker: 'tq@web-1' });
  const progress = { done: 340, total: 1000, note: 'resizing' };
  add(2, { ...from(20_000, 30_000), state: 'STARTED', worker: 'tq@web-2', progress });
  add(3, { ...from(20_000, 20_000, 20_100), state: 'FAILURE', attempts: 3, worker: 'tq@web-1', error });
  return {
    broker,
    written,
    trace: (argv = [written.head.graph], columns) =>
      run(['trace', ...argv], { session: createFakeSession(broker), ...(columns !== undefined && { columns }) }),
  };
}

describe('input to output', () => {
  test('a pipe gets the tree in ASCII with tabs between the cells, complete, and a waterfall', async () => {
    const { written, trace } = await tell();
    const { stdout, stderr, exitCode } = await trace();
    const id = (place: number): string => written.idOf(place);
    expect(stdout.split('\n').slice(8)).toEqual([
      '',
      'chain\tFAILURE\t\t\t\t\t',
      `|- fetch\tSUCCESS\t1\t10000\ttq@web-1\t${id(0)}\t`,
      '|- chord\tFAILURE\t\t\t\t\t',
      `|  |- images.resize\tSTARTED\t1\t\ttq@web-2\t${id(2)}\t340/1000 (34 %) resizing`,
      `|  |- images.resize\tFAILURE\t3\t100\ttq@web-1\t${id(3)}\tTypeError: no \\x1b[31mfile`,
      `|  |  \`- on error: sorry\tBLOCKED\t0\t\t\t${id(6)}\t`,
      `|  \`- body: montage\tBLOCKED\t0\t\t\t${id(4)}\t`,
      `\`- mail\tBLOCKED\t0\t\t\t${id(5)}\t`,
      '',
      `               0 ${'-'.repeat(37)} 30s ${'-'.repeat(37)} 1m`,
      `fetch          ${'.'.repeat(14)}${'#'.repeat(14)}`,
      `images.resize  ${' '.repeat(28)}${'.'.repeat(15)}${'#'.repeat(42)}`,
      `images.resize  ${' '.repeat(28)}#`,
      '',
    ]);
    expect(stdout).toContain('steps\t2/5 (40 %)');
    expect(stderr).toContain('control revoke');
    expect(exitCode).toBe(4);
  });

  test.each([60, 100, 200])('no line is longer than a terminal of %i columns', async (columns) => {
    const { trace } = await tell();
    const { stdout } = await trace(undefined, columns);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours have no width
    const lines = stdout.replace(/\u001b\[\d+m/g, '').split('\n');
    const drawn = lines.slice(lines.indexOf(''));
    expect(Math.max(...drawn.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(drawn.join('\n')).toContain('└─ body: montage');
    expect(drawn.join('\n')).toContain('█');
    expect(drawn.join('\n')).not.toMatch(/0198f6a2[^\s]*…/);
  });

  test('the id of a job shows the same workflow', async () => {
    const { written, trace } = await tell();
    const ran = await trace([written.idOf(3), '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      id: written.head.graph,
      asked: written.idOf(3),
      state: 'STARTED',
      progress: { done: 2, total: 5 },
      tree: { kind: 'chain', children: [{ task: 'fetch' }, { kind: 'chord', onError: 'fail' }, { task: 'mail' }] },
    });
  });

  test('the JSON has every key at every part, and raw progress', async () => {
    const { trace, written } = await tell();
    const { tree } = JSON.parse((await trace([written.head.graph, '--json'])).stdout);
    const keys = Object.keys(tree).sort();
    const chord = tree.children[1];
    for (const part of [...tree.children, ...chord.children]) expect(Object.keys(part).sort()).toEqual(keys);
    expect(chord.children[0].progress).toEqual({ done: 340, total: 1000, note: 'resizing' });
  });

  test.each<[JobState, number]>([
    ['SUCCESS', 0],
    ['FAILURE', 1],
    ['REVOKED', 1],
    ['BLOCKED', 4],
  ])('a workflow whose own job is %s ends with %i', async (whole, exitCode) => {
    const { trace } = await tell(whole);
    expect(await trace()).toMatchObject({ exitCode });
  });

  test('a job of no workflow is shown alone, and an unknown id has exit code 3', async () => {
    const broker = new FakeBroker().store('mail', { id: 'x', state: 'SUCCESS', task: 'email.send' });
    const session = createFakeSession(broker);
    const ran = await run(['trace', 'x', '--json'], { session });
    expect(JSON.parse(ran.stdout)).toMatchObject({ id: 'x', progress: { done: 1, total: 1 }, tree: { kind: 'task' } });
    expect(await run(['trace', 'nope'], { session })).toMatchObject({ exitCode: 3 });
  });
});

describe('a long list', () => {
  async function tellLong(): Promise<(argv?: readonly string[]) => Promise<Ran>> {
    const members = Array.from({ length: 1000 }, (_, index) => index + 1);
    const written = writeGraph([group(members), ...members.map(() => task('work', { within: 0 }))], {
      createdAt: BEGAN_AT,
    });
    const broker = new FakeBroker();
    await written.save(new WorkflowStore(broker.state));
    for (const place of members) {
      const state = place === 700 ? 'FAILURE' : place === 800 ? 'STARTED' : place < 600 ? 'SUCCESS' : 'PENDING';
      broker.store('default', { ...written.jobOf(place), state });
    }
    return (argv = []) => run(['trace', written.head.graph, ...argv], { session: createFakeSession(broker) });
  }

  test('shows what failed and what runs, and counts the rest', async () => {
    const trace = await tellLong();
    const { stdout } = await trace();
    expect(stdout).toContain('... 980 more: 581 SUCCESS, 399 PENDING');
    expect(stdout.match(/- work/g)).toHaveLength(20);
    expect(stdout).toMatch(/work\tFAILURE/);
    expect(stdout).toMatch(/work\tSTARTED/);
  });

  test('is shown whole with --all', async () => {
    const trace = await tellLong();
    expect((await trace(['--all'])).stdout.match(/- work/g)).toHaveLength(1000);
    expect((await trace(['--mermaid'])).stdout.match(/work<br/g)).toHaveLength(20);
  });
});

describe('--mermaid', () => {
  test('prints a flowchart whose arrows follow the workflow', async () => {
    const { trace, written } = await tell();
    const { stdout } = await trace([written.head.graph, '--mermaid']);
    expect(stdout.split('\n').slice(0, 18)).toEqual([
      'flowchart TD',
      '  n1["fetch<br/>SUCCESS"]',
      '  subgraph g2["chord"]',
      '    n3["images.resize<br/>STARTED"]',
      '    n4["images.resize<br/>FAILURE"]',
      '    n5["on error: sorry<br/>BLOCKED"]',
      '  end',
      '  n6["body: montage<br/>BLOCKED"]',
      '  n7["mail<br/>BLOCKED"]',
      '  n4 -. on error .-> n5',
      '  n3 --> n6',
      '  n4 --> n6',
      '  n1 --> n3',
      '  n1 --> n4',
      '  n6 --> n7',
      expect.stringContaining('classDef'),
      expect.stringContaining('class n'),
      expect.stringContaining('classDef'),
    ]);
  });

  test('writes what a name could say to Mermaid as entities', async () => {
    const broker = new FakeBroker().store('default', {
      id: 'x',
      task: 'a"] --> b["<script>#\u001b;',
      state: 'PENDING',
    });
    const { stdout } = await run(['trace', 'x', '--mermaid'], { session: createFakeSession(broker) });
    expect(stdout).toBe('flowchart TD\n  n1["a#34;#93; --#62; b#91;#34;#60;script#62;#35;#92;x1b#59;<br/>PENDING"]\n');
  });
});

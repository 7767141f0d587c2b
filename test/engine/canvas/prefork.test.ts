import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chain, chord, group } from '../../../src/engine/canvas/constructs.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createLiveBench, createStore, type LiveBench } from '../app/live-app.ts';
import { registerGrowing } from './growing-tasks.ts';

const module = new URL('./growing-tasks.ts', import.meta.url);
const TIMEOUT = { timeout: '20s' } as const;

describe.each(brokersUnderTest())('workflows in child processes on $name', (underTest) => {
  let url: string;
  let bench: LiveBench;
  beforeAll(async () => {
    url = await createStore(underTest);
  });
  beforeEach(() => {
    bench = createLiveBench(url);
  });
  afterEach(() => bench.close());

  async function setUp() {
    const app = bench.createApp({ maxWorkerLost: 0 });
    const tasks = registerGrowing(app);
    await bench.startWorker(app, { pool: 'prefork', module, concurrency: 2 });
    return tasks;
  }

  test('chains, chords and tasks over items come to their values', async () => {
    const { word, join } = await setUp();
    const signature = chain(chord([word.s('a', '.'), word.s('b', '.')], join.s()), word.s('!'));
    expect(await (await signature.delay()).get(TIMEOUT)).toBe('a. b.!');
    expect(await (await word.starmap([['c', '?']]).delay()).get(TIMEOUT)).toEqual(['c?']);
  });

  test('a task replaces itself, and another one adds members to its group', async () => {
    const { split, grow, word } = await setUp();
    expect(await (await chain(split.s('a'), word.s('!')).delay()).get(TIMEOUT)).toBe('a1 a2!');
    expect(await (await split.delay('b')).get(TIMEOUT)).toBe('b1 b2');
    expect(await (await group([grow.s('c')]).delay()).get(TIMEOUT)).toEqual(['c', 'c++']);
  });

  test('what a task cannot do in its workflow fails it with what to do', async () => {
    const { lonely } = await setUp();
    await expect((await lonely.delay()).get(TIMEOUT)).rejects.toThrow('is in no group');
  });

  test('a member whose process dies for good fails the body', async () => {
    const { deadly, word, join } = await setUp();
    const sent = await chord([word.s('a', '.'), deadly.s()], join.s()).delay();
    await expect(sent.get(TIMEOUT)).rejects.toThrow(/its member "deadly".*exit/s);
  });
});

import { beforeAll, describe, expect, test } from 'vitest';
import { openBroker } from '../../src/engine/broker/open-broker.ts';
import type { Broker } from '../../src/engine/broker/port.ts';
import { systemClock } from '../../src/engine/runtime/system-clock.ts';
import { createStore } from '../engine/broker/workshop.ts';
import { brokersUnderTest, createSqliteUrl } from '../support/brokers.ts';
import { ensureBuilt } from '../support/build.ts';
import { runTq } from '../support/tq-command.ts';
import { type BeatProject, createBeatProject, listLines } from './beat-project.ts';

beforeAll(ensureBuilt);

const APP = `
app.task('tick', () => context().schedule);
app.schedule({ tick: { task: 'tick', every: '1s', missed: 'all' } });
`;

/** Ids of the firings that are stored, whatever has become of them. */
async function listFirings(broker: Broker): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of broker.queue('default').bulk.scanSummaries({ places: ['waiting', 'completed'] })) {
    ids.push(...page.map(({ id }) => id));
  }
  return ids;
}

/** Nobody takes the firings, so that only a beat can go on from one to the next. */
async function checkTakeover(url: string, project: BeatProject): Promise<void> {
  const broker = await openBroker(url, { clock: systemClock });
  try {
    const first = await project.start('beat', '--name', 'beat@first');
    await first.waitForLine('beat ready: it leads');
    const second = await project.start('beat', '--name', 'beat@second');
    await second.waitForLine('beat ready: beat@first leads, and it stands by');
    await first.waitForLine('"message":"entry \\"tick\\" fired"');
    first.signal('SIGKILL');
    await first.exit;
    await second.waitForLine('"message":"the beat leads"', 40_000);
    await second.waitForLine('"message":"entry \\"tick\\" fired"');
    const health = await runTq(['health', '--beat', '--json', '-A', 'app.mjs'], { cwd: project.cwd });
    expect(health.json()).toMatchObject({ components: [{ answers: true, leader: 'beat@second' }] });
    second.signal('SIGTERM');
    expect(await second.exit).toMatchObject({ exitCode: 0 });
    const due = (await listFirings(broker)).map((id) => Number(id.replace('repeat:tick:', ''))).sort((a, b) => a - b);
    const [begun = 0] = due;
    expect(due).toEqual(due.map((_, index) => begun + index * 1000));
    const logged = [first, second].flatMap(({ stdout }) => listLines(stdout, /fired$/).map(({ job_id }) => job_id));
    // The last one may have come due while the beat was stopped, and the one before the kill may have lost its line.
    expect(new Set(logged).size).toBe(logged.length);
    expect(logged.length).toBeGreaterThanOrEqual(due.length - 2);
  } finally {
    await project.close();
    await broker.close();
  }
}

describe.concurrent.each(brokersUnderTest())('on $name', (underTest) => {
  test('the beat that stands by takes over from one that was killed; nothing is missed or doubled', {
    timeout: 90_000,
  }, async () => {
    const url = await createStore(underTest);
    await checkTakeover(url, await createBeatProject(url, APP));
  });
});

test('a beat that is stopped hands the lead over at once', { timeout: 60_000 }, async () => {
  const url = await createSqliteUrl();
  const broker = await openBroker(url, { clock: systemClock });
  const project = await createBeatProject(url, APP);
  try {
    const first = await project.start('beat', '--name', 'beat@first');
    await first.waitForLine('beat ready: it leads');
    const { holder } = await broker.state.lease('schedule/leader', 'test', 1);
    expect(holder).toMatch(/^beat@first /);
    const second = await project.start('beat', '--name', 'beat@second');
    await second.waitForLine('it stands by');
    first.signal('SIGINT');
    expect(await first.exit).toMatchObject({ exitCode: 0 });
    expect(first.stdout).toContain('"message":"beat stopped"');
    // Whoever asks now has it, or the other beat has been faster.
    expect((await broker.state.lease('schedule/leader', 'test', 1)).holder).toMatch(/^(test$|beat@second )/);
    await second.waitForLine('"message":"the beat leads"');
  } finally {
    await project.close();
    await broker.close();
  }
});

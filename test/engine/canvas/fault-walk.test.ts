import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { openBroker } from '../../../src/engine/broker/open-broker.ts';
import { chain, chord } from '../../../src/engine/canvas/constructs.ts';
import { createError } from '../../../src/engine/core/errors.ts';
import { brokersUnderTest } from '../../support/brokers.ts';
import { createStore } from '../app/live-app.ts';
import { recordLog } from '../worker/recorded.ts';
import { createFailingBroker, type Incident } from './failing-broker.ts';

/** As short as a worker allows: another one takes the jobs of a dead one after that. */
const LOCK = '5s';

/** A chain with a chord in it and a callback: every kind of hand-over there is. */
function defineWorkflow(app: App, ran: string[]) {
  const step = app.task('step', async (...args: unknown[]) => {
    const name = args.at(-1) as string;
    ran.push(name);
    return args.length > 1 ? `${name}(${JSON.stringify(args[0])})` : name;
  });
  const s = (name: string): never => step.s(name) as never;
  const called = step.s('called') as never;
  const workflow = chain(
    s('a'),
    chord([s('b'), chain(s('c'), s('d'))] as never, s('e')),
    step.s('f').link(called) as never,
  );
  return workflow as unknown as { delay(): Promise<{ id: string; get(options: object): Promise<unknown> }> };
}

const VALUE = 'f("e([\\"b(\\\\\\"a\\\\\\")\\",\\"d(\\\\\\"c(\\\\\\\\\\\\\\"a\\\\\\\\\\\\\\")\\\\\\")\\"])")';
const STEPS = ['a', 'b', 'c', 'called', 'd', 'e', 'f'];

interface Walked {
  readonly value: unknown;
  readonly ran: readonly string[];
  readonly calls: number;
}

describe.each(brokersUnderTest())('on $name', (underTest) => {
  let url: string;
  const opened: App[] = [];
  beforeAll(async () => {
    url = await createStore(underTest);
  });
  afterAll(() => Promise.all(opened.map((app) => app.close().catch(() => undefined))));

  /** Runs the workflow on a worker that the incident happens to, and a second one if that is its death. */
  async function walk(queue: string, create?: (die: () => Promise<never>) => Incident): Promise<Walked> {
    const ran: string[] = [];
    const dead = Promise.withResolvers<void>();
    let close = async (): Promise<void> => {};
    const die = (): Promise<never> => {
      dead.resolve();
      void close();
      return new Promise(() => {});
    };
    let failing: ReturnType<typeof createFailingBroker> | undefined;
    const open: typeof openBroker = async (...args) => {
      const broker = await openBroker(...args);
      close = () => broker.close().catch(() => undefined);
      failing = createFailingBroker(broker, create?.(die));
      return failing.broker;
    };
    const options = { broker: url, defaultQueue: queue, builtins: false as const };
    const worker = {
      queues: [queue],
      concurrency: 1,
      lockDuration: LOCK,
      remoteControl: false,
      logger: recordLog().logger,
    };
    const doomed = createApp(options, { env: {}, openBroker: open });
    defineWorkflow(doomed, ran);
    const first = await doomed.createWorker(worker);
    await first.start();
    failing?.begin();
    const app = createApp(options, { env: {} });
    opened.push(app);
    const sent = await defineWorkflow(app, ran).delay();
    const getting = sent.get({ timeout: '90s' });
    getting.catch(() => undefined);
    const isDead = await Promise.race([getting.then(() => false), dead.promise.then(() => true)]);
    const second = isDead ? await app.createWorker(worker) : undefined;
    await second?.start();
    const value = await getting;
    // The callback is nobody's: it may still be on its way.
    await expect.poll(() => ran.includes('called'), { timeout: 30_000 }).toBe(true);
    await second?.stopNow();
    if (!isDead) {
      await first.stopNow();
      await doomed.close();
    }
    return { value, ran, calls: failing?.calls ?? 0 };
  }

  test('a workflow comes to its end when its worker dies, or loses its broker, at any call between two steps', async () => {
    const whole = await walk('whole');
    expect(whole.value).toBe(VALUE);
    expect(whole.ran.toSorted()).toEqual(STEPS);
    expect(whole.calls).toBeGreaterThan(10);
    const incidents = Array.from({ length: whole.calls }, (_, index) => index + 1).flatMap((at) =>
      (['before', 'after'] as const).flatMap((when) => [
        { at, when, kind: 'death' as const },
        { at, when, kind: 'absence' as const },
      ]),
    );
    const faults: string[] = [];
    await Promise.all(
      incidents.map(async ({ at, when, kind }) => {
        const what = `${kind} ${when} call ${at} of ${whole.calls}`;
        const queue = `q-${kind}-${when}-${at}`;
        const lost = (): Promise<never> =>
          Promise.reject(createError('BROKER_UNAVAILABLE', { url, doing: 'testing', reason: 'it is away' } as never));
        try {
          const { value, ran } = await walk(queue, (die) => ({ at, when, happens: kind === 'death' ? die : lost }));
          if (value !== VALUE) faults.push(`${what}: it gave ${JSON.stringify(value)}`);
          if (STEPS.some((step) => !ran.includes(step))) faults.push(`${what}: ran ${ran.join()}`);
          // The step whose worker died runs again, and no other one; one whose broker was away does not.
          const again = ran.length - STEPS.length;
          if (again > (kind === 'death' ? 1 : 0)) faults.push(`${what}: ran ${ran.join()}`);
        } catch (error) {
          faults.push(`${what}: ${(error as Error).message}`);
        }
      }),
    );
    expect(faults).toEqual([]);
  }, 180_000);
});

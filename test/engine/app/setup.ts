import type { AppOptions } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import { FakeBroker } from '../worker/fake-broker.ts';
import { createFakeClock } from '../worker/recorded.ts';

/** An app on a broker in memory, with a clock that stands still and an empty environment. */
export function setUp(options: AppOptions = {}) {
  const broker = new FakeBroker();
  const clock = createFakeClock();
  const opened: string[] = [];
  const openBroker = async (url: string): Promise<FakeBroker> => {
    opened.push(url);
    return broker;
  };
  const app = createApp({ broker: 'redis://memory', builtins: false, ...options }, { clock, env: {}, openBroker });
  return { app, broker, clock, opened };
}

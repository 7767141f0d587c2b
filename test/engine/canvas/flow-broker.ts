import type { AppOptions } from '../../../src/engine/app/contract.ts';
import { createApp } from '../../../src/engine/app/create-app.ts';
import type { FlowJob } from '../../../src/engine/broker/port.ts';
import { FakeBroker } from '../worker/fake-broker.ts';
import { createFakeClock } from '../worker/recorded.ts';

/** A broker in memory that keeps the flows that it was given. */
export class FlowBroker extends FakeBroker {
  readonly flows: (readonly FlowJob[])[] = [];

  async addFlow(jobs: readonly FlowJob[]): Promise<void> {
    this.flows.push(jobs);
    for (const { queue, job } of jobs) await this.queue(queue).add(job);
  }
}

/** An app on such a broker, with a clock that stands still and an empty environment. */
export function setUpFlows(options: AppOptions = {}) {
  const broker = new FlowBroker();
  const clock = createFakeClock();
  const opened: string[] = [];
  const openBroker = async (url: string): Promise<FlowBroker> => {
    opened.push(url);
    return broker;
  };
  const app = createApp({ broker: 'redis://memory', builtins: false, ...options }, { clock, env: {}, openBroker });
  return { app, broker, clock, opened };
}

import type { CliSession } from '../../src/cli/session.ts';
import type { App } from '../../src/engine/app/contract.ts';
import type { ResultStore } from '../../src/engine/broker/result-store/result-port.ts';
import { FakeApp, type UsedApp } from './fake-app.ts';
import { FakeBroker, NOW } from './fake-broker.ts';

export interface FakeSession extends CliSession {
  readonly fake: FakeBroker;
  readonly fakeApp: FakeApp;
  readonly isClosed: () => boolean;
  /** The result store, if the test gives one. */
  readonly fakeResults: { store: ResultStore | undefined };
}

/** A session over doubles. `app` may be replaced by one that fails. */
export function createFakeSession(fake = new FakeBroker(), loadApp?: () => Promise<UsedApp>): FakeSession {
  const fakeApp = new FakeApp(fake);
  let closed = false;
  const fakeResults: FakeSession['fakeResults'] = { store: undefined };
  return {
    fake,
    fakeApp,
    clock: { now: () => NOW, monotonic: () => 0 },
    app: async () => (await (loadApp?.() ?? fakeApp)) as App,
    async broker() {
      fake.assertUp();
      return fake;
    },
    async results() {
      return fakeResults.store;
    },
    async close() {
      closed = true;
    },
    isClosed: () => closed,
    fakeResults,
  };
}

import { createApp } from '../../src/index.ts';

/** What tq's children load: one task that does nothing. Environment variables would not be the same for all contenders. */
export const app = createApp({ builtins: false, broker: 'redis://unset' }, { env: {} });
export const noop = app.task(
  'noop',
  { ignoreResult: true },
  async (_mail: { to: string; subject: string; id: number }) => {},
);

import { createApp } from '../../src/index.ts';

/** What tq's workers load. */
export const app = createApp({ builtins: false, broker: 'redis://unset' }, { env: {} });
export const noop = app.task('noop', async (value: number) => value);
export const total = app.task('total', async (values: readonly number[]) => values.length);

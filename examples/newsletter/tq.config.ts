import { defineConfig } from 'taskq';

export default defineConfig({
  app: 'app.ts',
  broker: 'sqlite:.tq/tq.db',
  worker: { concurrency: 4, shutdownTimeout: '10s' },
});

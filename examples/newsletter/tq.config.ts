import { defineConfig } from 'taskq';

export default defineConfig({
  app: 'app.ts',
  worker: { concurrency: 4, shutdownTimeout: '10s' },
});

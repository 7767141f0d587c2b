import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    // Tests start processes of their own (servers, workers), so a test process per core is already a full machine.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: './test/support/global-setup.ts',
    typecheck: {
      enabled: true,
      include: ['test/**/*.test-d.ts'],
      tsconfig: './test/tsconfig.json',
      // Errors outside the type tests are what `npm run types` fails on.
      ignoreSourceErrors: true,
    },
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      thresholds: { 'src/engine/**': { lines: 85 } },
    },
  },
});

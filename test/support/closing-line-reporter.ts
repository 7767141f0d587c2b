import { writeSync } from 'node:fs';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Says `N passed, N failed, N skipped` as the very last line of the run, after the summary and the coverage table: the
 * line that machines read. What fails outside any test counts as one failed each: a file that cannot be loaded, a hook of a
 * suite, a stray error, a run that could not begin.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const totals = countTests(modules, unhandledErrors.length);
    // Coverage is printed after the last reporter hook, so the line waits for the end of the process.
    process.once('exit', (exitCode) => {
      const failedBeforeTests = modules.length === 0 && totals.failed === 0 && exitCode !== 0;
      writeSync(1, `${formatTotals(failedBeforeTests ? { ...totals, failed: 1 } : totals)}\n`);
    });
  }
}

function formatTotals({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function countTests(modules: readonly TestModule[], unhandledErrors: number): Totals {
  const totals: Totals = { passed: 0, failed: unhandledErrors, skipped: 0 };
  for (const module of modules) {
    let tests = 0;
    for (const test of module.children.allTests()) {
      tests++;
      const { state } = test.result();
      if (state === 'passed') totals.passed++;
      else if (state === 'failed') totals.failed++;
      else totals.skipped++;
    }
    const failedOutsideTests =
      module.errors().length > 0 || [...module.children.allSuites()].some((s) => s.errors().length);
    if (failedOutsideTests || (tests === 0 && module.state() === 'failed')) totals.failed++;
  }
  return totals;
}

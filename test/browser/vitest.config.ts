/** Tests in a real browser, apart from the others: where there is none they are not run, and do not count as passed. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/browser/**/*.test.ts'], maxWorkers: 1, testTimeout: 60_000, hookTimeout: 120_000 },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/cli/**/*.test.ts'],
    // Two cores are common: more workers only wait for each other.
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});

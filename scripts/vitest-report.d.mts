/** What vitest's report in JSON says of a run: its counts, the words of each failure, the names of tests that could not run. */
export function toldBy(report: unknown): {
  passed: number;
  failed: number;
  failures: string[];
  skipped: string[];
};

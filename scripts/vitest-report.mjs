// What vitest's report in JSON says of a run.

/**
 * @param {{ numPassedTests: number; numFailedTests: number; testResults: { name: string; status: string; message?: string;
 *   assertionResults: { status: string; fullName: string; failureMessages: string[] }[] }[] }} report
 * @returns counts; the words of each failure; the names of tests that could not run
 */
export function toldBy({ numPassedTests, numFailedTests, testResults }) {
  const told = { passed: numPassedTests, failed: numFailedTests, failures: [], skipped: [] };
  for (const { name, status, message, assertionResults } of testResults) {
    const wrong = assertionResults.filter((result) => result.status === 'failed');
    for (const { fullName, failureMessages } of wrong)
      told.failures.push(`${fullName}\n${failureMessages.join('\n')}`);
    // Of a file that cannot be loaded, and of a hook that fails, no test fails: those that it was for are "skipped".
    if (status === 'failed' && wrong.length === 0) {
      told.failures.push(`${name}: ${message || 'a hook failed (beforeAll or afterAll)'}`);
      told.failed++;
    }
    for (const result of assertionResults)
      if (result.status === 'skipped' || result.status === 'pending') told.skipped.push(result.fullName);
  }
  return told;
}

/** The C library of this process. */

/** Version of glibc, undefined on musl and other systems. Takes some milliseconds: Node writes a whole report. */
export function systemGlibc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const reporter = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = reporter.excludeNetwork;
  // with the network in it the report resolves host names, which may take seconds
  reporter.excludeNetwork = true;
  try {
    const report = reporter.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
    return report.header.glibcVersionRuntime;
  } finally {
    reporter.excludeNetwork = before ?? false;
  }
}

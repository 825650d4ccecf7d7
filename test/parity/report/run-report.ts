/** Collects the cases of a run, prints each as it ends, then the totals and the exit code. */
import { CaseReport } from './case-report.js';

export type Write = (line: string) => void;

interface StageTotal {
  keys: number;
  values: number;
  worst: number;
}

export class RunReport {
  private readonly write: Write;
  private readonly cases: CaseReport[] = [];
  private readonly unbuilt: { name: string; reason: string }[] = [];
  private readonly faults: string[] = [];

  constructor(write: Write) {
    this.write = write;
  }

  heading(text: string): void {
    this.write(`\n== ${text}`);
  }

  line(text: string): void {
    this.write(text);
  }

  /** Runs one case; what it throws is a fault of that case and stops nothing else. */
  async case(
    name: string,
    options: { subtitle?: string; brief?: boolean },
    body: (report: CaseReport) => Promise<void> | void,
  ): Promise<CaseReport> {
    const report = new CaseReport(name, options.subtitle, options.brief);
    const began = performance.now();
    try {
      await body(report);
      if (report.lines.length === 0 && report.faults.length === 0) report.fault('nothing was compared');
    } catch (thrown) {
      report.fault(describe(thrown));
    }
    this.cases.push(report);
    this.print(report, performance.now() - began);
    return report;
  }

  /** A case of a feature that does not exist yet: shown, never counted as passed. */
  notBuilt(name: string, reason: string): void {
    this.unbuilt.push({ name, reason });
    this.write(`${name}  NOT BUILT YET: ${reason}`);
  }

  /** Something wrong with the run as a whole: an unknown file, an area that broke. */
  fault(message: string): void {
    this.faults.push(message);
    this.write(`FAULT: ${message}`);
  }

  /** Prints totals; the last line is `N passed, N failed`. Returns the exit code. */
  finish(): number {
    this.printStages();
    const failures = this.cases.filter(({ passed }) => !passed);
    this.heading('totals');
    const values = this.cases.reduce((count, report) => count + report.values, 0);
    const skipped = this.cases.reduce((count, report) => count + report.skipped.length, 0);
    this.write(
      `${values} values compared in ${this.cases.length} cases; ${skipped} keys not compared, each with its reason above`,
    );
    this.write(`${this.unbuilt.length} cases of features that are not built yet (not counted)`);
    for (const { name, subtitle, faults, lines } of failures) {
      const first = faults[0] ?? lines.find(({ comparison }) => !comparison.ok)?.key ?? '';
      this.write(`failed: ${name}${subtitle ? ` [${subtitle}]` : ''}: ${first}`);
    }
    for (const fault of this.faults) this.write(`fault: ${fault}`);
    this.write(
      `${this.cases.length - failures.length} passed, ${failures.length + this.faults.length} failed`,
    );
    return failures.length + this.faults.length > 0 || this.cases.length === 0 ? 1 : 0;
  }

  private print(report: CaseReport, ms: number): void {
    const verdict = report.passed ? 'pass' : 'FAIL';
    const subtitle = report.subtitle ? `  [${report.subtitle}]` : '';
    const summary = `${report.values} values, worst ratio ${ratioText(report.worstRatio)}, ${(ms / 1000).toFixed(2)} s`;
    this.write(`${report.name}${subtitle}  ${verdict}  ${summary}`);
    for (const note of report.notes) this.write(`    ${note}`);
    for (const { key, stage, comparison } of report.lines) {
      if (report.brief && comparison.ok) continue;
      const mark = comparison.ok ? '' : '  FAIL';
      const note = comparison.note ? `  ${comparison.note}` : '';
      this.write(
        `    ${key.padEnd(34)} ${stage.padEnd(30)} ${String(comparison.values).padStart(9)} values  ` +
          `error/tolerance ${ratioText(comparison.ratio)}${mark}${note}`,
      );
    }
    if (!report.brief)
      for (const { key, reason } of report.skipped) this.write(`    ${key}: not compared: ${reason}`);
    for (const fault of report.faults) this.write(`    FAULT: ${fault}`);
  }

  private printStages(): void {
    const totals = new Map<string, StageTotal>();
    for (const { lines } of this.cases) {
      for (const { stage, comparison } of lines) {
        const total = totals.get(stage) ?? { keys: 0, values: 0, worst: 0 };
        total.keys++;
        total.values += comparison.values;
        total.worst = Math.max(total.worst, comparison.ratio);
        totals.set(stage, total);
      }
    }
    this.heading('by stage: keys, values, worst error / tolerance');
    for (const [stage, { keys, values, worst }] of [...totals].sort(([a], [b]) => a.localeCompare(b))) {
      this.write(
        `${stage.padEnd(36)} ${String(keys).padStart(5)} ${String(values).padStart(11)}  ${ratioText(worst)}`,
      );
    }
  }
}

function ratioText(ratio: number): string {
  if (!Number.isFinite(ratio)) return 'unbounded';
  return ratio === 0 ? '0' : ratio < 0.001 ? ratio.toExponential(1) : ratio.toFixed(3);
}

export function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code, hint } = thrown as Error & { code?: string; hint?: string };
  return `${code ? `${code}: ` : ''}${thrown.message}${hint ? ` (${hint})` : ''}`;
}

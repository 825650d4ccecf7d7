/** What was found for one case. A case passes when it compared something and nothing was wrong. */
import type { Comparison } from '../compare/compare.js';

export interface Line {
  key: string;
  stage: string;
  comparison: Comparison;
}

export class CaseReport {
  readonly name: string;
  /** settings and weights, for the heading */
  readonly subtitle: string;
  readonly lines: Line[] = [];
  readonly skipped: { key: string; reason: string }[] = [];
  readonly faults: string[] = [];
  readonly notes: string[] = [];
  /** repetitions of a case with other weight files print one line unless they fail */
  readonly brief: boolean;

  constructor(name: string, subtitle = '', brief = false) {
    this.name = name;
    this.subtitle = subtitle;
    this.brief = brief;
  }

  compared(key: string, stage: string, comparison: Comparison): void {
    this.lines.push({ key, stage, comparison });
  }

  /** A fact that holds or does not, for `values` values. */
  holds(key: string, stage: string, values: number, isTrue: boolean, note = ''): void {
    const ratio = isTrue ? 0 : Number.POSITIVE_INFINITY;
    this.compared(key, stage, { values, worst: isTrue ? 0 : Number.NaN, ratio, ok: isTrue, note });
  }

  notCompared(key: string, reason: string): void {
    this.skipped.push({ key, reason });
  }

  fault(message: string): void {
    this.faults.push(message);
  }

  note(message: string): void {
    this.notes.push(message);
  }

  get passed(): boolean {
    return (
      this.faults.length === 0 && this.lines.length > 0 && this.lines.every(({ comparison }) => comparison.ok)
    );
  }

  get values(): number {
    return this.lines.reduce((count, { comparison }) => count + comparison.values, 0);
  }

  get worstRatio(): number {
    return this.lines.reduce((worst, { comparison }) => Math.max(worst, comparison.ratio), 0);
  }
}

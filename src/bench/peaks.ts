/** The CPU's own limit: what its multiply-add instructions do at their best, measured between the work of the parties. */
import type { PeakRate } from '../addon/native.js';
import { median } from './statistics.js';

export interface Peak {
  format: PeakRate['format'];
  face: string;
  instruction: string;
  /** by wall time, and by processor time of all threads; 1e9 operations a second */
  gflops: number;
  cpuGflops: number;
}

/** Medians over the rounds, in the order of the addon's table. */
export function peaksOf(rounds: readonly (readonly PeakRate[])[]): Peak[] {
  return (rounds[0] ?? []).map(({ format, face, instruction }) => {
    const same = rounds.flatMap((rates) =>
      rates.filter((rate) => rate.format === format && rate.face === face),
    );
    const rateBy = (time: 'seconds' | 'cpuSeconds') =>
      median(same.map((rate) => rate.operations / rate[time] / 1e9));
    return { format, face, instruction, gflops: rateBy('seconds'), cpuGflops: rateBy('cpuSeconds') };
  });
}

/** Of the fastest instruction of a precision, which stands first. */
export function peakFor(peaks: readonly Peak[], precision: string): Peak | undefined {
  return peaks.find(({ format }) => format === precision);
}

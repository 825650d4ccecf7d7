/** Somebody whose speed is measured: our engine in this process, or a peer in a child process. */
import type { Timings } from '../engine/result.js';

export interface Sample {
  /** wall time of one batch, preparation not counted */
  seconds: number;
  /** processor time of the whole process meanwhile: of all threads, waiting for other programs not counted */
  cpuSeconds?: number;
  /** means over the pictures of the batch, in milliseconds */
  stages?: Timings;
  /** resident memory while it worked, at most; of the whole life of the process where the system cannot tell */
  peakBytes?: number;
  /** resident memory afterwards */
  residentBytes?: number;
}

export interface PartyFacts {
  /** what runs, in one line */
  title: string;
  /** versions of what it is built on */
  versions: Record<string, string>;
  threads: number;
  /** number format of the products */
  precision: string;
  /** operations of one picture in 1e9; undefined: not counted */
  gflop?: number;
  weightBytes?: number;
  /** until the first picture could begin; what a batch size needs on top is not in it */
  openSeconds?: number;
  /** memory that opening took, at most */
  openPeakBytes?: number;
}

export interface Party {
  name: string;
  facts: PartyFacts;
  /** Works on one batch; exactly one party works at a time. @throws CraneError; the party is of no use afterwards */
  run(batch: number, stop: AbortSignal): Promise<Sample>;
  close(): Promise<void>;
}

/** What has to be known of a machine beside any figure of speed. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

export interface TimedMachine {
  cpu: string;
  /** logical processors that this process may use */
  processors: number;
  memoryBytes: number;
  system: string;
  node: string;
  /** processes that wanted to run in the minute before: much above 0 means a busy machine */
  loadBefore: number;
}

export function describeMachine(): TimedMachine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** Another program keeps a processor busy, or was until just now. */
export function isBusy({ loadBefore }: TimedMachine): boolean {
  return loadBefore > 0.5;
}

/** Resident memory of this process, as the kernel counts it: mapped weights are in it as far as they were touched. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface ResidentMemory {
  nowBytes: number;
  /** most since the process began, or since forgetPeak */
  peakBytes: number;
}

export function residentMemory(): ResidentMemory {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const field = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
    const found = { nowBytes: field('VmRSS'), peakBytes: field('VmHWM') };
    if (Number.isFinite(found.nowBytes) && Number.isFinite(found.peakBytes)) return found;
  } catch {
    // no /proc here
  }
  return { nowBytes: process.memoryUsage.rss(), peakBytes: process.resourceUsage().maxRSS * 1024 };
}

/** From now on the peak is that of what follows. Where the kernel does not offer it, it stays that of the process. */
export function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // not Linux, or not allowed
  }
}

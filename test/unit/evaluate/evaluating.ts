import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEngine } from '../../../src/engine/load-engine.js';
import {
  type EvaluateDataSetsOptions,
  evaluateIn,
  type TestProgress,
} from '../../../src/evaluate/evaluate-data-sets.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import type { Workplace } from '../train/workplace.js';

export interface Given extends Partial<Omit<EvaluateDataSetsOptions, 'engine'>> {
  addon?: ReturnType<typeof makeTestAddon>;
}

export async function evaluate(work: Workplace, { addon = makeTestAddon(), ...options }: Given = {}) {
  const engine = await openEngine(addon, work.model);
  try {
    return await evaluateIn({ engine, data: work.set, bootstrap: 50, report: false, ...options }, work.env);
  } finally {
    await engine.dispose();
  }
}

/** Names and bytes of everything in a folder but run.json, which holds times. */
export async function bytesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name !== 'run.json')
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const bytes = await Promise.all(
    names.map(async (name) => [name.slice(folder.length), await readFile(name, 'hex')]),
  );
  return Object.fromEntries(bytes) as Record<string, string>;
}

/** Stops when so many pictures are done. */
export function stopAfter(count: number): { signal: AbortSignal; onProgress: (event: TestProgress) => void } {
  const stop = new AbortController();
  const onProgress = (event: TestProgress) => {
    if (event.stage === 'scoring' && event.done >= count) stop.abort();
  };
  return { signal: stop.signal, onProgress };
}

export const scoredBy = ({ log }: ReturnType<typeof makeTestAddon>) =>
  log.passes.reduce((sum, { requests }) => sum + requests.length, 0);

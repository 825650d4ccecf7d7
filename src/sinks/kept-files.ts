/** Which maps, heat maps and outlines of an output folder belong to results that stay: their names are no longer free. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { jsonOf, linesOf } from '../files/line-file.js';
import { k_fileEnding } from './row-kind.js';

const k_resultsFile = /^results(\.\d+-of-\d+)?\.jsonl(\.partial)?$/;
const k_labelme = /^labelme\/(.*)\.json$/;

/**
 * Of all results in the folder, those of other shards too, because shards share its names.
 * @param replaced path of the results file that this run writes anew: what it holds now goes
 * @returns input of each result, by the name of its files without ending
 */
export async function keptFiles(folder: string, replaced: string | undefined): Promise<Map<string, string>> {
  const kept = new Map<string, string>();
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    if (!k_resultsFile.test(name) || name.replace(/\.partial$/, '') === (replaced && basename(replaced)))
      continue;
    for await (const { text } of linesOf(join(folder, name))) {
      const { input, map, heatmap, labelme } = parse(text);
      if (typeof input !== 'string') continue;
      for (const file of [map, heatmap])
        if (typeof file === 'string') kept.set(file.replace(k_fileEnding, ''), input);
      if (typeof labelme === 'string') kept.set(labelme.replace(k_labelme, '$1'), input);
    }
  }
  return kept;
}

/** A line that is none is told by who reads the results, or was cut off by a run that was killed. */
function parse(line: Buffer): Partial<Record<'input' | 'map' | 'heatmap' | 'labelme', unknown>> {
  try {
    return (jsonOf(line) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}

/** Which maps, heat maps and outlines of an output folder belong to results that stay: their names are no longer free. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

const k_resultsFile = /^results(\.\d+-of-\d+)?\.jsonl(\.partial)?$/;
const k_ending = /\.(map|heat)\.[a-z0-9]+$/;
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
    const lines = createInterface({ input: createReadStream(join(folder, name)), crlfDelay: Infinity });
    for await (const line of lines) {
      const { input, map, heatmap, labelme } = parse(line);
      if (typeof input !== 'string') continue;
      for (const file of [map, heatmap])
        if (typeof file === 'string') kept.set(file.replace(k_ending, ''), input);
      if (typeof labelme === 'string') kept.set(labelme.replace(k_labelme, '$1'), input);
    }
  }
  return kept;
}

/** A line that is none is told by who reads the results, or was cut off by a run that was killed. */
function parse(line: string): Partial<Record<'input' | 'map' | 'heatmap' | 'labelme', unknown>> {
  try {
    return (JSON.parse(line) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}

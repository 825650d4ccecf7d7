/** What must hold for every picture of a set: decodes, finite score, same bits alone and in a batch, map as large as the picture. */
import { createHash } from 'node:crypto';
import type { Engine } from '#crane/index.js';
import { pairwiseAuroc } from './pairwise-auroc.js';
import type { DataSet } from './sets.js';

export interface SetResult {
  faults: string[];
  pictures: number;
  seconds: number;
  /** undefined where the set has one label only */
  areaUnderCurve: number | undefined;
}

interface Seen {
  score: number;
  mapHash: string;
}

/** Not a divisor of most set sizes, so that the last batch is a shorter one. */
const batch = 4;

export async function checkSet(engine: Engine, { pictures }: DataSet): Promise<SetResult> {
  const began = performance.now();
  const faults: string[] = [];
  const alone = new Map<string, Seen>();
  for (const { path } of pictures) {
    try {
      const { score, map, width, height } = await engine.score(path, { map: true });
      const fault = faultOf(score, await map?.resizeTo(width, height), width, height);
      if (fault) faults.push(`${path}: ${fault}`);
      alone.set(path, { score, mapHash: hashOf(map?.data) });
    } catch (thrown) {
      faults.push(`${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
  let inBatches = 0;
  for await (const result of engine.scoreMany(
    pictures.map(({ path }) => path),
    { batch, map: true },
  )) {
    inBatches++;
    if ('error' in result) {
      faults.push(`${result.input} in a batch: ${result.error.message}`);
      continue;
    }
    const before = alone.get(pictures[result.index]!.path);
    if (!before) continue;
    if (!Object.is(before.score, result.score)) {
      faults.push(`${result.input}: ${before.score} alone, ${result.score} in a batch of ${batch}`);
    } else if (before.mapHash !== hashOf(result.map?.data)) {
      faults.push(`${result.input}: the map differs between alone and in a batch of ${batch}`);
    }
  }
  if (inBatches !== pictures.length)
    faults.push(`${inBatches} results in batches for ${pictures.length} pictures`);
  const scored = pictures.flatMap(({ path, isAnomalous }) => {
    const seen = alone.get(path);
    return seen ? [{ score: seen.score, isAnomalous }] : [];
  });
  const seconds = (performance.now() - began) / 1000;
  return { faults, pictures: pictures.length, seconds, areaUnderCurve: pairwiseAuroc(scored) };
}

function faultOf(
  score: number,
  map: { data: Float32Array; width: number; height: number } | undefined,
  width: number,
  height: number,
): string | undefined {
  if (!Number.isFinite(score)) return `score ${score}`;
  if (!map) return 'no map';
  if (map.width !== width || map.height !== height || map.data.length !== width * height) {
    return `map of ${map.width} x ${map.height} (${map.data.length} values) for a picture of ${width} x ${height}`;
  }
  const wrong = map.data.findIndex((value) => !(value >= 0 && value <= 1));
  return wrong < 0 ? undefined : `map value ${map.data[wrong]} at ${wrong}`;
}

function hashOf(map: Float32Array | undefined): string {
  const bytes = map ? new Uint8Array(map.buffer, map.byteOffset, map.byteLength) : new Uint8Array();
  return createHash('sha256').update(bytes).digest('hex');
}

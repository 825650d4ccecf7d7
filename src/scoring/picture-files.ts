/** What a run writes of one picture beside its line: map, heat map, and its regions as annotation tools read them. */
import { dirname, relative, resolve, sep } from 'node:path';
import type { Region } from '../addon/native.js';
import { isFailed, type PictureScore } from '../engine/result.js';
import { CraneError } from '../errors.js';
import { type RegionOutline, regionOutlines } from '../images/region-outlines.js';
import { mapEnding, mapFile } from '../sinks/map-file.js';
import type { OutPlace } from '../sinks/out-place.js';
import { onePolygon, outlinesToLabelme } from '../sinks/outline-files.js';
import type { ResultLine, WrittenFiles } from '../sinks/result-line.js';
import { resultRows } from '../sinks/result-rows.js';
import { isRemotePicture } from '../sources/remote-picture.js';
import { isRemote } from '../stores/open-store.js';
import type { RunPicture } from './run-inputs.js';
import type { ScoreRunOptions } from './run-types.js';

export interface OfPicture {
  files: WrittenFiles;
  /** of its regions, for its line: x, y, x, y, ... */
  outlines?: number[][];
}

/**
 * @param mapThreshold that the picture's regions begin at
 * @throws CraneError E_EXISTS, E_IO_WRITE, E_USAGE where regions are to be outlined and there are none to tell
 */
export async function writeFiles(
  out: OutPlace | undefined,
  { maps, heatmapFormat, outlines: format, out: folder }: ScoreRunOptions,
  result: PictureScore,
  listed: RunPicture,
  mapThreshold: number | null,
): Promise<OfPicture> {
  const { map, heatmap, width, height } = result;
  const { stem } = listed;
  const files: WrittenFiles = {};
  if (maps && map) {
    files.map = `${stem}${mapEnding[maps]}`;
    await out!.put(files.map, await mapFile(map, maps));
  }
  if (heatmap) {
    files.heatmap = `${stem}.heat.${heatmapFormat}`;
    await out!.put(files.heatmap, heatmap);
  }
  if (format === undefined) return { files };
  const outlines = await outlinesOf(result, mapThreshold);
  if (format === 'coco') return { files, outlines: outlines.map((outline) => onePolygon(outline).flat()) };
  files.labelme = `labelme/${stem}.json`;
  const name = pathFrom(folder!, files.labelme, listed);
  const file = outlinesToLabelme({ name, width, height, outlines });
  await out!.put(files.labelme, Buffer.from(`${JSON.stringify(file, null, 1)}\n`));
  return { files };
}

/** In pixels of the whole picture, in the order of its regions. */
async function outlinesOf(
  { map, regions, roi, width, height, input, ignoredPixels = 0 }: PictureScore,
  mapThreshold: number | null,
): Promise<RegionOutline[]> {
  if (!map || !regions || mapThreshold === null) throw noThreshold(input);
  if (ignoredPixels > 0 && mapThreshold <= map.range[0]) {
    throw new CraneError('E_USAGE', `${input}: at a map threshold of ${mapThreshold} all is anomalous`, {
      hint: 'with --ignore outlines need one above the lowest value of the map',
    });
  }
  const seen = roi ?? { x: 0, y: 0, width, height };
  const outlines = await regionOutlines(await map.resizeTo(seen.width, seen.height), mapThreshold);
  const moved = outlines.map((outline) => movedBy(outline, seen));
  if (boxes(moved) !== boxes(regions))
    throw new CraneError('E_INTERNAL', `${input}: the outlines are not those of its regions`);
  return moved;
}

function boxes(regions: readonly Omit<Region, 'mean'>[]): string {
  return JSON.stringify(regions.map(({ x, y, width, height, area }) => [x, y, width, height, area]));
}

function movedBy(outline: RegionOutline, by: { x: number; y: number }): RegionOutline {
  const ring = (corners: RegionOutline['outer']) =>
    corners.map(([x, y]) => [x + by.x, y + by.y] as [number, number]);
  return {
    ...outline,
    x: outline.x + by.x,
    y: outline.y + by.y,
    outer: ring(outline.outer),
    holes: outline.holes.map(ring),
  };
}

/** As labelme finds the picture: from the folder of its own file. What is no file here keeps its name. */
function pathFrom(out: string, file: string, { input, name }: RunPicture): string {
  if (typeof input !== 'string' || isRemote(out) || isRemotePicture(input) || /^(data|file):/i.test(input))
    return name;
  return relative(dirname(resolve(out, file)), resolve(input)).replaceAll(sep, '/');
}

export function noThreshold(what: string): CraneError {
  return new CraneError('E_USAGE', `${what}: no map threshold is known, so there are no regions to outline`, {
    hint: 'give one with --map-threshold, calibrate, or compare with normal pictures at a --false-alarm-rate',
  });
}

/** That what an earlier run left holds outlines too: they cannot be made without its maps. @throws CraneError E_USAGE, E_IO_READ */
export async function checkOutlined(path: string, format: 'coco' | 'labelme'): Promise<void> {
  for await (const { row } of resultRows(path)) {
    if (isFailed(row) || isOutlined(row, format)) continue;
    throw new CraneError(
      'E_USAGE',
      `${path}: the result of ${row.input} came without --format ${format}: its regions have no outlines`,
      { hint: 'choose another --out, or start anew with --force' },
    );
  }
}

function isOutlined(
  { regions, labelme }: Exclude<ResultLine, { error: unknown }>,
  format: 'coco' | 'labelme',
): boolean {
  if (format === 'labelme') return labelme !== undefined;
  return regions?.every(({ outline }) => outline !== undefined) ?? false;
}

/** Scores the pictures of one chunk that have no row yet, and keeps each row as soon as it is there. */
import type { Engine } from '../engine/engine.js';
import type { PictureItem } from '../engine/picture-item.js';
import { isFailed, type PictureScore, type ScoreOutcome } from '../engine/result.js';
import { CraneError, type ErrorCode } from '../errors.js';
import type { ScoreManyOptions } from '../options/types.js';
import { mapEnding, mapFile } from '../sinks/map-file.js';
import { toResultLine, type WrittenFiles } from '../sinks/result-line.js';
import { isRemotePicture, RemotePicture } from '../sources/remote-picture.js';
import type { Store } from '../stores/store.js';
import type { ChunkLine, WorkSettings } from './submission.js';

/** Lines of a chunk by their index in it. They survive the process. */
export interface KeptRows {
  done(): Promise<Set<number>>;
  keep(index: number, line: string): Promise<void>;
}

export interface ChunkWork {
  engine: Engine;
  key: string;
  pictures: readonly ChunkLine[];
  settings: WorkSettings;
  store: Store;
  rows: KeptRows;
  /** the last try: what may pass becomes a failed row like every other */
  isLastTry: boolean;
  /** nothing new begins once it fires; what was done is kept */
  stop: AbortSignal;
  onPicture?: (outcome: ScoreOutcome) => void;
}

/** Faults of the moment and the place, not of the picture. */
const k_mayPass: ReadonlySet<ErrorCode> = new Set([
  'E_DOWNLOAD',
  'E_MEMORY',
  'E_IO_READ',
  'E_INPUT_PERMISSION',
]);

/** @throws CraneError E_INPUTS_FAILED where another try may help, E_CANCELLED after `stop`, and of engine and store */
export async function scoreChunk(work: ChunkWork): Promise<void> {
  const { engine, settings, pictures, stop } = work;
  const done = await work.rows.done();
  const left = pictures.map((picture, index) => ({ picture, index })).filter(({ index }) => !done.has(index));
  const again: string[] = [];
  const options = {
    ...settings.choices,
    regions: settings.regions,
    map: settings.maps !== null,
    mapSize: settings.mapSize,
    heatmap: settings.heatmaps !== null,
    ...(settings.heatmaps ? { heatmapFormat: settings.heatmaps.format } : {}),
    ...(settings.heatmaps?.range ? { heatmapRange: settings.heatmaps.range } : {}),
  } as ScoreManyOptions;
  for await (const scored of engine.scoreMany(items(left, stop), options)) {
    if (isFailed(scored) && k_mayPass.has(scored.error.code) && !work.isLastTry) {
      again.push(`${scored.input}: ${scored.error.message}`);
      continue;
    }
    const files = isFailed(scored) ? {} : await keepFiles(work, scored);
    const line = JSON.stringify(toResultLine(scored, files, settings.timings));
    await work.rows.keep(scored.index, line);
    work.onPicture?.(scored);
  }
  if (stop.aborted) throw new CraneError('E_CANCELLED', 'interrupted; what was done is kept');
  if (again.length > 0)
    throw new CraneError('E_INPUTS_FAILED', `${again.length} of ${pictures.length} pictures: ${again[0]}`);
}

async function* items(
  left: readonly { picture: ChunkLine; index: number }[],
  stop: AbortSignal,
): AsyncGenerator<PictureItem> {
  for (const { picture, index } of left) {
    if (stop.aborted) return;
    const { uri, id, className, prompts, normals } = picture;
    yield {
      input: isRemotePicture(uri) ? new RemotePicture(uri) : uri,
      name: id ?? uri,
      index,
      ...(className === undefined ? {} : { className }),
      ...(prompts === undefined ? {} : { prompts }),
      ...(normals === undefined ? {} : { normals }),
    };
  }
}

/** Over what an earlier try may have left: they are the same pictures. */
async function keepFiles(
  { settings: { maps, heatmaps }, store, key }: ChunkWork,
  { index, map, heatmap }: PictureScore,
): Promise<WrittenFiles> {
  const files: WrittenFiles = {};
  const stem = `maps/${key}/${String(index).padStart(6, '0')}`;
  if (maps !== null && map) {
    files.map = `${stem}${mapEnding[maps]}`;
    await store.write(files.map, Buffer.concat(await mapFile(map, maps)));
  }
  if (heatmaps !== null && heatmap) {
    files.heatmap = `${stem}.heat.${heatmaps.format}`;
    await store.write(files.heatmap, heatmap);
  }
  return files;
}

/** Scores the pictures of one chunk that have no row yet, and keeps each row as soon as it is there. */
import { join } from 'node:path';
import type { Engine } from '../engine/engine.js';
import type { PictureItem } from '../engine/picture-item.js';
import { isFailed, type PictureScore } from '../engine/result.js';
import { CraneError, type ErrorCode } from '../errors.js';
import type { ScoreManyOptions } from '../options/types.js';
import { mapEnding, mapFile } from '../sinks/map-file.js';
import { toResultLine } from '../sinks/result-line.js';
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
  onRow?: () => void;
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
  } as ScoreManyOptions;
  for await (const scored of engine.scoreMany(items(left, stop), options)) {
    if (isFailed(scored) && k_mayPass.has(scored.error.code) && !work.isLastTry) {
      again.push(`${scored.input}: ${scored.error.message}`);
      continue;
    }
    const files = isFailed(scored) || settings.maps === null ? {} : { map: await keepMap(work, scored) };
    const line = JSON.stringify(toResultLine(scored, files, settings.timings));
    await work.rows.keep(scored.index, line);
    work.onRow?.();
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

/** Over what an earlier try may have left: it is the same map. */
async function keepMap({ settings, store, key }: ChunkWork, scored: PictureScore): Promise<string> {
  const format = settings.maps!;
  const map = scored.map!;
  const sized = settings.mapSize === 'model' ? map : await map.resizeTo(scored.width, scored.height);
  const place = join('maps', key, `${String(scored.index).padStart(6, '0')}${mapEnding[format]}`);
  await store.write(place, Buffer.concat(await mapFile(sized, format)));
  return place;
}

/** A picture with its map over it: decoded within the memory limit, drawn by the addon, encoded on the decoder's threads. */
import type { NativeAddon } from '../addon/native.js';
import { orCancelled, throwIfCancelled } from '../cancellation.js';
import type { AnomalyMap } from '../images/anomaly-map.js';
import type { ByteBudget } from '../images/byte-budget.js';
import { decodePicture } from '../images/decode.js';
import { heatMapFile } from '../images/heat-map.js';
import type { PictureSource } from '../images/picture-input.js';
import { untilGivenUp } from '../images/picture-stream.js';
import type { Reading } from '../images/reading.js';
import { defaultOf } from '../options/table.js';
import type { HeatMapOptions } from '../options/types.js';

interface Means {
  addon: NativeAddon;
  budget: ByteBudget;
  reading: Reading;
  /** map values of the first and the last colour, where the caller says none */
  range: { low: number; high: number };
  /** marked in the legend */
  mapThreshold: number | null;
  maxPixels: number;
  /** fires when the engine is disposed */
  disposed: AbortSignal;
}

/** @throws CraneError E_INPUT_*, E_IMAGE_*, E_CANCELLED */
export async function drawHeatMap(
  source: PictureSource,
  map: AnomalyMap,
  { heatmapFormat, heatmapRange, legend = true, signal }: HeatMapOptions,
  { addon, budget, reading, range, mapThreshold, maxPixels, disposed }: Means,
): Promise<Buffer> {
  throwIfCancelled(signal);
  const ticket = budget.open();
  try {
    const reserve = (bytes: number) => orCancelled(ticket.take(bytes), signal);
    await reserve(map.data.byteLength);
    const own = { data: await map.ownData(), width: map.width, height: map.height };
    const picture = await untilGivenUp([source], [signal, disposed], (stop) =>
      decodePicture(source, { maxPixels, reading, reserve, signal: stop }),
    );
    throwIfCancelled(signal);
    return await heatMapFile(addon, picture, own, {
      ...(heatmapRange ?? range),
      mapThreshold,
      format: heatmapFormat ?? defaultOf('heatmapFormat'),
      hasLegend: legend,
    });
  } finally {
    ticket.close();
  }
}

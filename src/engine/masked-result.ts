/** A result without what a mask hides: its map, and all that is read off the map. */
import type { NativeAddon, ScoreResult } from '../addon/native.js';
import { hideIgnored } from '../images/area.js';
import type { DecodedPicture } from '../images/decode.js';
import type { HeatMapStyle } from '../images/heat-map.js';
import { rangesOf } from '../methods/registry.js';
import type { ScoreOptions } from '../options/types.js';
import type { PictureSettings } from './method-choice.js';

interface Masked {
  /** cut and painted */
  picture: DecodedPicture;
  /** of each of its pixels */
  ignored: Uint8Array;
  settings: PictureSettings;
  wanted: Pick<ScoreOptions, 'regions'>;
  /** undefined: no heat map is wanted */
  style: HeatMapStyle | undefined;
}

/** @param result with its map in the picture's size, which is changed */
export async function maskedResult(
  addon: NativeAddon,
  result: ScoreResult,
  { picture, ignored, settings, wanted, style }: Masked,
): Promise<ScoreResult & { ignoredPixels: number }> {
  const { data, width, height } = result.map!;
  const { regions: wantsRegions } = wanted;
  const { mapThreshold } = settings;
  // No value at all while regions are looked for: the lowest one may reach the threshold too.
  const { largest, count } = await hideIgnored(data, ignored, Number.NaN);
  const regions =
    wantsRegions && mapThreshold !== null
      ? await addon.regions(data, width, height, mapThreshold)
      : undefined;
  const [lowest] = rangesOf(settings).map;
  await hideIgnored(data, ignored, lowest);
  const { imageScore } = settings.method as { imageScore?: string };
  return {
    ...result,
    score: imageScore === 'map-max' ? largest : result.score,
    mapMax: largest,
    ignoredPixels: count,
    ...(regions === undefined ? {} : { regions }),
    ...(style ? { heat: await addon.overlay(picture, data, width, height, style.low, style.high) } : {}),
  };
}

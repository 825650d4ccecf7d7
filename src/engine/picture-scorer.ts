/** What is done to every picture before its forward pass (prompts, decoding) and after it (the result). */

import type { NativeAddon, Region, ScoreResult } from '../addon/native.js';
import { orCancelled, throwIfCancelled } from '../cancellation.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import { type DecodedPicture, decodePicture, type PictureArea } from '../images/decode.js';
import { drawnHeatMap, type HeatMapStyle, sharpOf } from '../images/heat-map.js';
import { ownCopy } from '../images/own-copy.js';
import type { PictureSource } from '../images/picture-input.js';
import { untilGivenUp } from '../images/picture-stream.js';
import { mapColours, rangesOf } from '../methods/registry.js';
import type { ModelLabels } from '../models/model-label.js';
import { defaultOf } from '../options/table.js';
import type { EngineWarning, Roi, ScoreOptions, Size } from '../options/types.js';
import { lookedAt } from './area-of.js';
import { backgroundOf } from './background-of.js';
import type { Contexts } from './contexts.js';
import { checkTiles, manyTiles, type Tiles } from './many-tiles.js';
import { maskedResult } from './masked-result.js';
import type { PictureSettings } from './method-choice.js';
import type { PictureScore, PreprocessedScore } from './result.js';
import type { Preparing, ReadyPicture, ReadyTensor, TensorRequest, ViewsOfPicture } from './scheduler-job.js';

/** Of a picture with its map over it. */
const k_channels = 3;

/** A result without its place among the inputs. */
export type UnplacedScore = Omit<PictureScore, 'index'>;

/** What a result has, and how it is drawn. */
export type WantedResult = Pick<
  ScoreOptions,
  'map' | 'mapSize' | 'regions' | 'heatmap' | 'heatmapFormat' | 'heatmapRange' | 'legend' | 'onProgress'
> & { area?: PictureArea | undefined };

/** What is known of a picture before its pass. */
interface Prepared {
  name: string;
  /** what the towers see: of an area, it alone */
  picture: DecodedPicture;
  area: PictureArea | undefined;
  settings: PictureSettings;
  contextIdentity: string;
  leavesOut: true | undefined;
  /** what a result says of how it was read */
  said: Pick<PictureScore, 'bitDepth' | 'valueRange' | 'warnings'>;
  decodeMs: number;
  /** undefined: no heat map is wanted */
  style: HeatMapStyle | undefined;
}

export class PictureScorer {
  readonly #addon: NativeAddon;
  readonly #contexts: Contexts;
  readonly #labels: ModelLabels;
  readonly #maxPixels: number;
  readonly #maxTiles: number;
  readonly #input: Size;
  readonly #warn: (warning: EngineWarning) => void;
  readonly #disposed: AbortSignal;
  #hasToldOfTiles = false;

  constructor(parts: {
    addon: NativeAddon;
    contexts: Contexts;
    labels: ModelLabels;
    maxPixels: number;
    maxTiles: number;
    /** of the model */
    input: Size;
    warn: (warning: EngineWarning) => void;
    /** fires when the engine is disposed */
    disposed: AbortSignal;
  }) {
    this.#addon = parts.addon;
    this.#contexts = parts.contexts;
    this.#labels = parts.labels;
    this.#maxPixels = parts.maxPixels;
    this.#maxTiles = parts.maxTiles;
    this.#input = parts.input;
    this.#warn = parts.warn;
    this.#disposed = parts.disposed;
  }

  /** @throws CraneError E_INPUT_*, E_IMAGE_*, E_CANCELLED, those of Contexts.hold */
  async prepare(
    source: PictureSource,
    settings: PictureSettings,
    wanted: WantedResult,
    { ticket, signal }: Preparing,
  ): Promise<ReadyPicture<UnplacedScore>> {
    throwIfCancelled(signal);
    const held = await this.#contexts.hold(settings);
    try {
      let waitedMs = 0;
      const reserve = async (bytes: number) => {
        const from = performance.now();
        await orCancelled(ticket.take(bytes), signal);
        waitedMs += performance.now() - from;
      };
      const start = performance.now();
      const { area } = wanted;
      const picture = await untilGivenUp([source, area?.ignore], [signal, this.#disposed], (stop) =>
        decodePicture(source, {
          maxPixels: this.#maxPixels,
          reading: settings.reading,
          reserve,
          signal: stop,
          area,
        }),
      );
      const { fit, tileOverlap } = settings;
      const tiles = fit === 'tile' ? this.#tilesOf(source.name, picture, tileOverlap) : undefined;
      const prepared: Prepared = {
        name: source.name,
        picture,
        area: wanted.area,
        settings: held.settings,
        contextIdentity: held.identity,
        leavesOut: held.leavesOut,
        said: readingFields(picture),
        decodeMs: performance.now() - start - waitedMs,
        style: styleOf(held.settings, wanted),
      };
      const { style } = prepared;
      const regionsAt = wanted.regions === true ? prepared.settings.mapThreshold : null;
      // What a mask hides is taken out of the map before anything is read off it (masked-map.ts).
      const isMasked = picture.seen?.ignored !== undefined;
      const mapInPictureSize = isMasked || (wanted.map === true && wanted.mapSize === 'picture');
      // In the pass that makes the map, from the pixels that are there: the map in the picture's own size, in which the
      // engine finds regions too and which tiles make, and the picture with the map over it. They count from here until they
      // are taken; so does the map of tiles of a picture that is enlarged.
      const pixels = picture.width * picture.height;
      const ofMap =
        regionsAt !== null || mapInPictureSize || tiles !== undefined ? Float32Array.BYTES_PER_ELEMENT : 0;
      const ofTiles =
        tiles && tiles.enlarged > 1
          ? tiles.scaled.width * tiles.scaled.height * Float32Array.BYTES_PER_ELEMENT
          : 0;
      const bytes = pixels * (ofMap + (style ? k_channels : 0)) + ofTiles;
      if (bytes > 0) await reserve(bytes);
      return {
        request: {
          picture,
          context: held.handle,
          fit,
          tileOverlap,
          wantMap: isMasked || wanted.map === true,
          ...(mapInPictureSize ? { mapInPictureSize } : {}),
          ...(regionsAt === null || isMasked ? {} : { regionsAt }),
          ...(style && !isMasked ? { heat: { low: style.low, high: style.high } } : {}),
        },
        ...(tiles && tiles.count > 1 ? { views: viewsOf(source.name, tiles.count, wanted) } : {}),
        conclude: async (result) => this.#conclude(prepared, result, wanted),
        release: held.release,
      };
    } catch (thrown) {
      held.release();
      throw thrown;
    }
  }

  /** @throws CraneError E_IMAGE_SHAPE, E_MEMORY, E_PROMPTS, E_CANCELLED */
  async prepareTensor(
    { input, shape, map }: { input: Float32Array; shape: TensorRequest['shape']; map: boolean },
    settings: PictureSettings,
    { ticket, signal }: Preparing,
  ): Promise<ReadyTensor<PreprocessedScore[]>> {
    throwIfCancelled(signal);
    const held = await this.#contexts.hold(settings);
    try {
      const values = shape.batch * 3 * shape.height * shape.width;
      await orCancelled(ticket.take(values * input.BYTES_PER_ELEMENT), signal);
      const tensor = await ownCopy('the input', input, { row: values, rows: 1, stride: values });
      return {
        request: { tensor, shape, context: held.handle, wantMap: map },
        conclude: async (results) =>
          results.map((result) => ({
            score: result.score,
            ...(result.map ? { map: new AnomalyMap(result.map, this.#addon, rangesOf(settings).map) } : {}),
            ms: result.ms,
          })),
        release: held.release,
      };
    } catch (thrown) {
      held.release();
      throw thrown;
    }
  }

  /** Many are told of once: of a thousand strips the first tells enough. @throws CraneError E_IMAGE_TOO_LARGE */
  #tilesOf(name: string, picture: Size, overlap: number): Tiles {
    const limits = { overlap, most: this.#maxTiles, maxPixels: this.#maxPixels };
    const tiles = checkTiles(name, picture, this.#input, limits);
    const warning = this.#hasToldOfTiles ? undefined : manyTiles(name, picture, this.#input, overlap);
    if (warning) {
      this.#hasToldOfTiles = true;
      this.#warn(warning);
    }
    return tiles;
  }

  async #conclude(prepared: Prepared, given: ScoreResult, wanted: WantedResult): Promise<UnplacedScore> {
    const { picture, area, settings, style } = prepared;
    const { whole = picture, ignored } = picture.seen ?? {};
    const result: ScoreResult & { ignoredPixels?: number } = ignored
      ? await maskedResult(this.#addon, given, { picture, ignored, settings, wanted, style })
      : given;
    const drawn =
      result.heat && style
        ? await drawnHeatMap(this.#addon, sharpOf(result.heat, picture), picture, style)
        : undefined;
    const { notes, ...left } = backgroundOf(given, prepared.leavesOut);
    const { warnings: odd = [], ...said } = prepared.said;
    const warnings = [...odd, ...notes];
    const regions = wanted.regions ? placed(result.regions, area?.roi) : undefined;
    return {
      input: prepared.name,
      score: result.score,
      anomalous: settings.threshold === null ? null : result.score >= settings.threshold,
      threshold: settings.threshold,
      width: whole.width,
      height: whole.height,
      // The pictures of a call have one, and a result is its receiver's.
      ...(area?.roi ? { roi: { ...area.roi } } : {}),
      ...(result.ignoredPixels === undefined ? {} : { ignoredPixels: result.ignoredPixels }),
      ...left,
      ...said,
      ...(warnings.length === 0 ? {} : { warnings }),
      ...(regions === undefined ? {} : { regions }),
      ...(result.map && wanted.map
        ? { map: new AnomalyMap(result.map, this.#addon, rangesOf(settings).map) }
        : {}),
      ...((result.map && wanted.map) || drawn ? { mapMax: result.mapMax } : {}),
      ...(drawn ? { heatmap: drawn } : {}),
      model: this.#labels.of(settings, prepared.contextIdentity, area && lookedAt(area)),
      ms: { decode: prepared.decodeMs, ...result.ms },
    };
  }
}

function viewsOf(input: string, total: number, { onProgress }: WantedResult): ViewsOfPicture {
  return {
    count: total,
    ...(onProgress ? { tell: (done: number) => onProgress({ input, done, total }) } : {}),
  };
}

/** In pixels of the whole picture. */
function placed(regions: ScoreResult['regions'], roi: Roi | undefined): Region[] | null {
  if (!regions) return null;
  return roi ? regions.map((region) => ({ ...region, x: region.x + roi.x, y: region.y + roi.y })) : regions;
}

function styleOf(settings: PictureSettings, wanted: WantedResult): HeatMapStyle | undefined {
  if (wanted.heatmap !== true) return undefined;
  const { mapThreshold } = settings;
  return {
    ...(wanted.heatmapRange ?? mapColours(settings)),
    mapThreshold,
    format: wanted.heatmapFormat ?? defaultOf('heatmapFormat'),
    hasLegend: wanted.legend ?? true,
  };
}

/** Absent for what is said of no ordinary picture. */
function readingFields({ levels, notes }: DecodedPicture): Prepared['said'] {
  const { bits, low, high } = levels ?? {};
  return {
    ...(bits === undefined ? {} : { bitDepth: bits }),
    ...(levels && bits === undefined ? { valueRange: { low: low!, high: high! } } : {}),
    ...(notes.length === 0 ? {} : { warnings: [...notes] }),
  };
}

/** What is done to every picture before its forward pass (prompts, decoding) and after it (regions, result). */

import type { NativeAddon, Region, ScoreResult } from '../addon/native.js';
import { orCancelled, throwIfCancelled } from '../cancellation.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import { type DecodedPicture, decodePicture } from '../images/decode.js';
import type { PictureSource } from '../images/picture-input.js';
import type { ModelLabels } from '../models/model-label.js';
import type { PictureSettings } from './method-choice.js';
import type { PromptSets } from './prompt-sets.js';
import type { PictureScore } from './result.js';
import type { Means, ReadyPicture } from './scheduler-job.js';
import type { StoredThresholds } from './stored-thresholds.js';

/** A result without its place among the inputs. */
export type UnplacedScore = Omit<PictureScore, 'index'>;

export interface Wanted {
  map?: boolean;
  regions?: boolean;
}

/** What is known of a picture before its pass. */
interface Prepared {
  name: string;
  width: number;
  height: number;
  settings: PictureSettings;
  promptsIdentity: string;
  /** what a result says of how it was read */
  said: Pick<PictureScore, 'bitDepth' | 'valueRange' | 'warnings'>;
  decodeMs: number;
  /** waits until so many more bytes may be used for this picture */
  reserve(bytes: number): Promise<void>;
}

export class PictureScorer {
  readonly #addon: NativeAddon;
  readonly #prompts: PromptSets;
  readonly #labels: ModelLabels;
  readonly #thresholds: StoredThresholds;
  readonly #maxPixels: number;

  constructor(parts: {
    addon: NativeAddon;
    prompts: PromptSets;
    labels: ModelLabels;
    thresholds: StoredThresholds;
    maxPixels: number;
  }) {
    this.#addon = parts.addon;
    this.#prompts = parts.prompts;
    this.#labels = parts.labels;
    this.#thresholds = parts.thresholds;
    this.#maxPixels = parts.maxPixels;
  }

  /** @throws CraneError E_INPUT_*, E_IMAGE_*, E_PROMPTS, E_CANCELLED */
  async prepare(
    source: PictureSource,
    settings: PictureSettings,
    wanted: Wanted,
    { ticket, signal }: Means,
  ): Promise<ReadyPicture<UnplacedScore>> {
    throwIfCancelled(signal);
    const held = await this.#prompts.hold(settings.prompts, settings.method);
    try {
      let waitedMs = 0;
      const reserve = async (bytes: number) => {
        const from = performance.now();
        await orCancelled(ticket.take(bytes), signal);
        waitedMs += performance.now() - from;
      };
      const start = performance.now();
      const picture = await decodePicture(source, {
        maxPixels: this.#maxPixels,
        reading: settings.reading,
        reserve,
      });
      const { fit, tileOverlap } = settings;
      const prepared: Prepared = {
        name: source.name,
        width: picture.width,
        height: picture.height,
        // The prompts are known now, and with them whether thresholds were calibrated for them.
        settings: this.#thresholds.complete(settings, held.identity),
        promptsIdentity: held.identity,
        said: readingFields(picture),
        decodeMs: performance.now() - start - waitedMs,
        reserve,
      };
      const hasRegions = wanted.regions === true && prepared.settings.mapThreshold !== null;
      const wantMap = wanted.map === true || hasRegions;
      return {
        request: { picture, context: held.handle, fit, tileOverlap, wantMap },
        conclude: (result) => this.#conclude(prepared, result, wanted),
        release: held.release,
      };
    } catch (thrown) {
      held.release();
      throw thrown;
    }
  }

  async #conclude(picture: Prepared, result: ScoreResult, wanted: Wanted): Promise<UnplacedScore> {
    const { settings, width, height } = picture;
    const start = performance.now();
    const map = result.map && new AnomalyMap(result.map, this.#addon);
    const regions = wanted.regions ? await this.#regions(picture, map) : undefined;
    const regionsMs = wanted.regions ? performance.now() - start : 0;
    return {
      input: picture.name,
      score: result.score,
      anomalous: settings.threshold === null ? null : result.score >= settings.threshold,
      threshold: settings.threshold,
      width,
      height,
      ...picture.said,
      ...(regions === undefined ? {} : { regions }),
      ...(map && wanted.map ? { map, mapMax: result.mapMax } : {}),
      model: this.#labels.of(settings, picture.promptsIdentity),
      ms: { decode: picture.decodeMs, ...result.ms, postprocess: result.ms.postprocess + regionsMs },
    };
  }

  /** Labelled in the picture's own pixels, so that boxes and areas are exact there. */
  async #regions(
    { width, height, settings, reserve }: Prepared,
    map: AnomalyMap | undefined,
  ): Promise<Region[] | null> {
    if (!map || settings.mapThreshold === null) return null;
    if (map.width !== width || map.height !== height)
      await reserve(width * height * Float32Array.BYTES_PER_ELEMENT);
    const full = await map.resizeTo(width, height);
    return this.#addon.regions(full.data, width, height, settings.mapThreshold);
  }
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

/** The two steps of every picture's way: prepare (prompts, decoding) and score (forward pass, result). */

import type { NativeAddon, Region, ScoreRequest, ScoreResult } from '../addon/native.js';
import { orCancelled, throwIfCancelled } from '../cancellation.js';
import { AnomalyMap } from '../images/anomaly-map.js';
import type { Ticket } from '../images/byte-budget.js';
import { decodePicture } from '../images/decode.js';
import type { PictureSource } from '../images/picture-input.js';
import type { ModelLabels } from '../models/model-label.js';
import type { BatchQueue } from './batch-queue.js';
import type { PictureSettings } from './method-choice.js';
import type { PromptSets } from './prompt-sets.js';
import type { PictureScore } from './result.js';
import type { StoredThresholds } from './stored-thresholds.js';

/** A decoded picture with all that its scoring needs. */
export interface PreparedPicture {
  request: ScoreRequest;
  settings: PictureSettings;
  name: string;
  promptsIdentity: string;
  decodeMs: number;
  /** waits until so many more bytes may be used for this picture */
  reserve(bytes: number): Promise<void>;
  /** gives its prompts back; may be called twice */
  release(): void;
}

/** A result without its place among the inputs. */
export type UnplacedScore = Omit<PictureScore, 'index'>;

export interface Wanted {
  map?: boolean;
  regions?: boolean;
}

export class PictureScorer {
  constructor(
    private readonly addon: NativeAddon,
    private readonly queue: BatchQueue,
    private readonly prompts: PromptSets,
    private readonly labels: ModelLabels,
    private readonly thresholds: StoredThresholds,
    private readonly maxPixels: number,
  ) {}

  /** @throws CraneError E_INPUT_*, E_IMAGE_*, E_PROMPTS, E_CANCELLED */
  async prepare(
    source: PictureSource,
    settings: PictureSettings,
    ticket: Ticket,
    signal: AbortSignal | undefined,
  ): Promise<PreparedPicture> {
    throwIfCancelled(signal);
    const held = await this.prompts.hold(settings.prompts, settings.method);
    try {
      let waitedMs = 0;
      const reserve = async (bytes: number) => {
        const from = performance.now();
        await orCancelled(ticket.take(bytes), signal);
        waitedMs += performance.now() - from;
      };
      const start = performance.now();
      const picture = await decodePicture(source, {
        maxPixels: this.maxPixels,
        exif: settings.exif,
        reserve,
      });
      const decodeMs = performance.now() - start - waitedMs;
      const { fit, tileOverlap } = settings;
      return {
        request: { picture, prompts: held.handle, fit, tileOverlap, wantMap: false },
        // The prompts are known now, and with them whether thresholds were calibrated for them.
        settings: this.thresholds.complete(settings, held.identity),
        name: source.name,
        promptsIdentity: held.identity,
        decodeMs,
        reserve,
        release: held.release,
      };
    } catch (thrown) {
      held.release();
      throw thrown;
    }
  }

  /**
   * All pictures must have the same method settings. They stay prepared: release them when they are done with.
   * @param share the pass may take other calls' pictures too
   */
  async score(
    pictures: PreparedPicture[],
    wanted: Wanted,
    share: boolean,
    signal: AbortSignal | undefined,
  ): Promise<UnplacedScore[]> {
    const requests = pictures.map(({ request, settings }) => ({
      ...request,
      wantMap: wanted.map === true || (wanted.regions === true && settings.mapThreshold !== null),
    }));
    const results = await this.queue.score(requests, pictures[0]!.settings.method, share, signal);
    return Promise.all(results.map((result, at) => this.toScore(pictures[at]!, result, wanted)));
  }

  private async toScore(
    picture: PreparedPicture,
    result: ScoreResult,
    wanted: Wanted,
  ): Promise<UnplacedScore> {
    const { settings, request } = picture;
    const { width, height } = request.picture;
    const start = performance.now();
    const map = result.map && new AnomalyMap(result.map, this.addon);
    const regions = wanted.regions ? await this.regions(picture, map) : undefined;
    const regionsMs = wanted.regions ? performance.now() - start : 0;
    return {
      input: picture.name,
      score: result.score,
      anomalous: settings.threshold === null ? null : result.score >= settings.threshold,
      threshold: settings.threshold,
      width,
      height,
      ...(regions === undefined ? {} : { regions }),
      ...(map && wanted.map ? { map } : {}),
      model: this.labels.of(settings, picture.promptsIdentity),
      ms: { decode: picture.decodeMs, ...result.ms, postprocess: result.ms.postprocess + regionsMs },
    };
  }

  /** Labelled in the picture's own pixels, so that boxes and areas are exact there. */
  private async regions(
    { request, settings, reserve }: PreparedPicture,
    map: AnomalyMap | undefined,
  ): Promise<Region[] | null> {
    const { width, height } = request.picture;
    if (!map || settings.mapThreshold === null) return null;
    if (map.width !== width || map.height !== height)
      await reserve(width * height * Float32Array.BYTES_PER_ELEMENT);
    const full = await map.resizeTo(width, height);
    return this.addon.regions(full.data, width, height, settings.mapThreshold);
  }
}

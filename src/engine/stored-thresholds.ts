/** Finds the thresholds that were calibrated for exactly the settings of a call. */
import type { Calibration } from '../models/calibration.js';
import type { Model } from '../models/model-json.js';
import type { ModelLabels } from '../models/model-label.js';
import type { PictureSettings } from './method-choice.js';

export class StoredThresholds {
  /** the newest of each label */
  readonly #ofModel: ReadonlyMap<string, Calibration>;
  readonly #ofUser: ReadonlyMap<string, Calibration>;
  readonly #labels: ModelLabels;

  constructor(model: Model, labels: ModelLabels) {
    this.#labels = labels;
    this.#ofModel = newest(model.calibrations);
    this.#ofUser = newest(model.userCalibrations);
  }

  /**
   * The settings with calibrated thresholds where the call gives none. A user's own calibration comes before model.json's
   * `threshold`, which comes before calibrations that model.json holds for other settings.
   * @param promptsIdentity undefined: the prompts are not known yet, and nothing is filled in
   */
  complete(settings: PictureSettings, promptsIdentity: string | undefined): PictureSettings {
    if (promptsIdentity === undefined || (this.#ofModel.size === 0 && this.#ofUser.size === 0))
      return settings;
    const label = this.#labels.of(settings, promptsIdentity);
    const ofUser = this.#ofUser.get(label);
    const ofModel = this.#ofModel.get(label);
    const fill = (given: number | null, from: PictureSettings['thresholdFrom'], level: 'image' | 'map') => {
      if (from === 'call') return { value: given, from };
      const users = ofUser?.[level]?.threshold;
      if (users !== undefined && !isOlder(ofUser, ofModel))
        return { value: users, from: 'calibration' as const };
      if (from === 'model') return { value: given, from };
      const stored = ofModel?.[level]?.threshold ?? users;
      return stored === undefined
        ? { value: null, from: null }
        : { value: stored, from: 'calibration' as const };
    };
    const image = fill(settings.threshold, settings.thresholdFrom, 'image');
    const map = fill(settings.mapThreshold, settings.mapThresholdFrom, 'map');
    return {
      ...settings,
      threshold: image.value,
      thresholdFrom: image.from,
      mapThreshold: map.value,
      mapThresholdFrom: map.from,
    };
  }

  /** The calibration that a call with these settings would use; undefined when its thresholds come from elsewhere. */
  find(settings: PictureSettings, promptsIdentity: string): Calibration | undefined {
    const label = this.#labels.of(settings, promptsIdentity);
    const ofUser = this.#ofUser.get(label);
    const ofModel = this.#ofModel.get(label);
    return isOlder(ofUser, ofModel) ? ofModel : (ofUser ?? ofModel);
  }
}

function newest(calibrations: readonly Calibration[] = []): Map<string, Calibration> {
  const sorted = [...calibrations].sort((a, b) => Date.parse(a.date) - Date.parse(b.date));
  return new Map(sorted.map((calibration) => [calibration.settings, calibration]));
}

function isOlder(one: Calibration | undefined, other: Calibration | undefined): boolean {
  return one !== undefined && other !== undefined && Date.parse(one.date) < Date.parse(other.date);
}

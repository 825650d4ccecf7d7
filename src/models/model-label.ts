/** `name@hash`: two results of equal label were made alike, so that their scores may be compared. */
import { createHash } from 'node:crypto';
import type { Fit, MethodOptions, Precision } from '../addon/native.js';
import { changedReading, type Reading } from '../images/reading.js';
import type { Roi, Size } from '../options/types.js';
import type { Model } from './model-json.js';

const k_remembered = 100;

/** What a call may change of a label. */
export interface LabelledSettings {
  method: MethodOptions;
  fit: Fit;
  tileOverlap: number;
  reading: Reading;
}

export class ModelLabels {
  readonly #known = new Map<string, string>();
  /** all that no call can change */
  readonly #fixed: unknown[];
  readonly #model: Model;

  constructor(model: Model, size: Size, precision: Precision) {
    this.#model = model;
    const { weights, recipes, source, vision, text } = model;
    this.#fixed = [
      weights.map((part) => part.sha256),
      recipes,
      source?.weights.sha256,
      source?.tower,
      vision,
      text,
      size,
      // Labels of float32 do not name it, as before there was another.
      ...(precision === 'float32' ? [] : [precision]),
    ];
  }

  /** @param promptsIdentity of the prompts in use (prompt-sets.ts) */
  of(
    { method, fit, tileOverlap, reading }: LabelledSettings,
    promptsIdentity: string,
    /** undefined: all of the picture is looked at; labels do not name it then */
    area?: { roi?: Roi | undefined; hasMask: boolean },
  ): string {
    const changed = changedReading(reading);
    const call = JSON.stringify([
      method,
      fit,
      fit === 'tile' ? tileOverlap : null,
      reading.exif,
      promptsIdentity,
      // Labels of the default do not name it, as before there was another.
      ...(Object.keys(changed).length === 0 ? [] : [changed]),
      ...(area
        ? [
            {
              roi: area.roi && [area.roi.x, area.roi.y, area.roi.width, area.roi.height],
              hasMask: area.hasMask,
            },
          ]
        : []),
    ]);
    const known = this.#known.get(call);
    if (known) return known;
    const hash = createHash('sha256')
      .update(JSON.stringify([this.#fixed, call]))
      .digest('hex');
    const label = `${this.#model.name}@${hash.slice(0, 12)}`;
    if (this.#known.size >= k_remembered) this.#known.clear();
    this.#known.set(call, label);
    return label;
  }
}

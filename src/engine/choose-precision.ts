/** The precision of an engine: what was asked for, or what `auto` may take without anybody having to look. */

import type { Precision } from '../addon/native.js';
import type { Model } from '../models/model-json.js';
import type { EngineOptions } from '../options/types.js';

export interface ChosenPrecision {
  precision: Precision;
  /** for people: `doctor` and `facts` show it */
  why: string;
}

/**
 * `auto` is float32, which is exact, unless all three hold: the engine runs on the CPU, the CPU multiplies bfloat16, and
 * model.json says that its effect on this model was measured and found harmless.
 * @param available what the CPU has (`info().precisions`)
 */
export function choosePrecision(
  wanted: NonNullable<EngineOptions['precision']>,
  { precisions }: Pick<Model, 'precisions'>,
  device: string,
  available: readonly Precision[],
): ChosenPrecision {
  if (wanted !== 'auto') return { precision: wanted, why: 'asked for' };
  const float32 = (why: string): ChosenPrecision => ({ precision: 'float32', why: `auto: ${why}` });
  if (device !== 'cpu') return float32('exact');
  const shown = precisions?.bfloat16;
  if (!shown) return float32('exact, and model.json does not say that bfloat16 is harmless');
  if (!available.includes('bfloat16')) return float32('this CPU does not multiply bfloat16');
  const { pictures, pixelPoints, imagePoints } = shown;
  const most = (interval: readonly number[]) => Math.max(...interval.map(Math.abs));
  return {
    precision: 'bfloat16',
    why: `auto: on ${pictures} pictures it moves pixel figures by at most ${most(pixelPoints)}, image figures by at most ${most(imagePoints)} points (model.json)`,
  };
}

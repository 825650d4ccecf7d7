/** Bootstrap intervals of the image figures of a data set, computed by the engine (native/metrics/image_intervals.h). */
import type { NativeAddon } from '../addon/native.js';
import { type ImageIntervals, isScored, type TestSettings } from '../runs/test-run.js';
import type { FinishedClass } from './finished-class.js';

export interface IntervalsOfSet {
  /** null: a class of one label only */
  classes: (ImageIntervals | null)[];
  mean: ImageIntervals | null;
}

export async function intervalsOfSet(
  setName: string,
  classes: readonly FinishedClass[],
  bootstrap: NonNullable<TestSettings['bootstrap']>,
  addon: Pick<NativeAddon, 'imageIntervals'>,
): Promise<IntervalsOfSet> {
  const scored = classes.map((of) => scoresOf(of, setName));
  const both = scored.filter(({ labels }) => labels.includes(1) && labels.includes(0));
  if (both.length === 0) return { classes: scored.map(() => null), mean: null };
  const drawn = await addon.imageIntervals(both, bootstrap);
  return {
    classes: scored.map((of) => drawn.classes[both.indexOf(of)] ?? null),
    mean: drawn.mean,
  };
}

function scoresOf({ className, pictures }: FinishedClass, setName: string) {
  const scored = pictures.filter(isScored);
  return {
    scores: Float64Array.from(scored, ({ score }) => score),
    labels: Uint8Array.from(scored, ({ isAnomalous }) => (isAnomalous ? 1 : 0)),
    stream: `${setName}/${className}`,
  };
}

/** The threshold of best F1 and how sure it is, as a calibration keeps it; computed by the engine (native/metrics/best_threshold.h). */
import type { BestThreshold } from '../addon/metrics.js';
import type { NativeAddon } from '../addon/native.js';
import type { BestF1Threshold } from '../models/calibration.js';

export interface LabelledScore {
  score: number;
  isAnomalous: boolean;
}

const k_level = 0.95;

/** A bootstrap that draws pictures of each label with replacement; each stream has numbers of its own. */
export interface BootstrapChoice {
  resamples: number;
  seed: number;
  stream: string;
}

/** How sure a threshold is, wherever one is chosen: equal pictures give equal intervals. */
export const k_bootstraps = {
  image: { resamples: 1000, seed: 111, stream: 'image' },
  map: { resamples: 200, seed: 111, stream: 'map' },
} as const satisfies Record<string, BootstrapChoice>;

/** Of picture scores. @returns undefined without an anomalous picture */
export async function bestF1OfScores(
  pictures: readonly LabelledScore[],
  choice: BootstrapChoice,
  addon: Pick<NativeAddon, 'bestThreshold'>,
): Promise<BestF1Threshold | undefined> {
  const scores = Float64Array.from(pictures, ({ score }) => score);
  const labels = Uint8Array.from(pictures, ({ isAnomalous }) => (isAnomalous ? 1 : 0));
  return kept(await addon.bestThreshold({ scores, labels }, { ...choice, level: k_level }));
}

/** Of the pixels of maps. @returns undefined without an anomalous pixel */
export async function bestF1OfMaps(
  levels: ReturnType<NativeAddon['createMapLevels']>,
  choice: BootstrapChoice,
): Promise<BestF1Threshold | undefined> {
  return kept(await levels.bestThreshold({ ...choice, level: k_level }));
}

function kept(found: BestThreshold | null): BestF1Threshold | undefined {
  if (!found) return undefined;
  const { threshold, f1, precision, recall, low, high, f1Unseen } = found;
  return { threshold, f1, precision, recall, interval: { low, high, level: k_level }, f1Unseen };
}

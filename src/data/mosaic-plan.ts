/**
 * Which pictures make which 2 x 2 mosaic (method.md 7, `mosaicRate`). A finite pool is planned once from a seed, so
 * that the features of mosaics can be cached like those of pictures.
 */
import { createHash } from 'node:crypto';
import { contentHash } from '../files/content-hash.js';
import { pictureIdentity } from '../images/picture-identity.js';
import { wrongValue } from '../options/check.js';
import { byCodeUnits, type DataItem } from './data-set.js';
import { shuffled } from './sample.js';
import { SeededGenerator } from './seeded-generator.js';

/** The classes of MVTec AD whose parts may stand beside each other, as in the reference. */
export const mosaicClasses: readonly string[] = [
  'hazelnut',
  'pill',
  'zipper',
  'bottle',
  'screw',
  'metal_nut',
  'cable',
];

/** Share of the mosaics that are made of normal pictures, where a class has both. */
const k_normalShare = 0.8;
/** Changes with whatever changes the pixels of a mosaic. */
const k_keyVersion = 'crane-mosaic 1';

export interface MosaicPlan {
  className: string;
  /** all four tiles are of this condition */
  isAnomalous: boolean;
  /** indices of items: top left, top right, bottom left, bottom right */
  tiles: readonly [number, number, number, number];
}

export interface MosaicPlanOptions {
  /** chance of a picture to be replaced by a mosaic, 0 to 1; 0 plans none */
  rate: number;
  seed: number;
  /** number of plans; default: as many as an epoch draws on average, `rate` of the listed classes' pictures */
  poolSize?: number;
  /** default `mosaicClasses` */
  classes?: readonly string[];
}

/** Plans grouped by class; every class gets its share of the pool by its number of pictures. */
export function planMosaics(items: readonly DataItem[], options: MosaicPlanOptions): MosaicPlan[] {
  const { rate, seed, classes = mosaicClasses } = options;
  if (!(rate >= 0 && rate <= 1)) throw wrongValue('a number from 0 to 1', 'mosaicRate', rate);
  const listed = new Set(classes);
  const byClass = new Map<string, { normal: number[]; anomalous: number[] }>();
  items.forEach(({ className, isAnomalous }, index) => {
    if (!listed.has(className)) return;
    const group = byClass.get(className) ?? { normal: [], anomalous: [] };
    group[isAnomalous ? 'anomalous' : 'normal'].push(index);
    byClass.set(className, group);
  });
  const eligible = [...byClass.values()].reduce((sum, group) => sum + size(group), 0);
  const { poolSize = Math.max(1, Math.round(rate * eligible)) } = options;
  if (!Number.isSafeInteger(poolSize) || poolSize < 1)
    throw wrongValue('a whole number of at least 1', 'poolSize', poolSize);
  if (rate === 0 || eligible === 0) return [];

  const plans: MosaicPlan[] = [];
  let before = 0;
  for (const [className, group] of [...byClass].sort(([a], [b]) => byCodeUnits(a, b))) {
    // Cumulative shares: the classes' counts add up to the pool exactly.
    const first = Math.floor((before * poolSize) / eligible);
    before += size(group);
    const end = Math.floor((before * poolSize) / eligible);
    const generator = SeededGenerator.of(seed, `mosaic/${className}`);
    for (let plan = first; plan < end; plan++) plans.push(planOne(className, group, generator));
  }
  return plans;
}

function planOne(
  className: string,
  { normal, anomalous }: { normal: number[]; anomalous: number[] },
  generator: SeededGenerator,
): MosaicPlan {
  const wantsNormal = generator.float() < k_normalShare;
  const isAnomalous = normal.length === 0 || (!wantsNormal && anomalous.length > 0);
  const pool = isAnomalous ? anomalous : normal;
  // Four different pictures where there are four.
  const drawn =
    pool.length >= 4
      ? shuffled(pool.length, generator).slice(0, 4)
      : Array.from({ length: 4 }, () => generator.below(pool.length));
  return { className, isAnomalous, tiles: drawn.map((at) => pool[at]!) as unknown as MosaicPlan['tiles'] };
}

function size({ normal, anomalous }: { normal: number[]; anomalous: number[] }): number {
  return normal.length + anomalous.length;
}

/** Draws which pictures of an epoch are replaced by mosaics of their class. */
export class MosaicPool {
  readonly #byClass = new Map<string, MosaicPlan[]>();
  readonly #rate: number;

  constructor(plans: readonly MosaicPlan[], rate: number) {
    this.#rate = rate;

    for (const plan of plans) {
      const known = this.#byClass.get(plan.className);
      if (known) known.push(plan);
      else this.#byClass.set(plan.className, [plan]);
    }
  }

  /** The mosaic in place of a picture; undefined: the picture itself. Draws nothing for a class without mosaics. */
  draw({ className }: Pick<DataItem, 'className'>, generator: SeededGenerator): MosaicPlan | undefined {
    const plans = this.#byClass.get(className);
    if (plans === undefined || generator.float() >= this.#rate) return undefined;
    return plans[generator.below(plans.length)];
  }
}

/** Names the pixels of a mosaic by its tiles' files: the same on every machine, whatever the files are called. */
export async function mosaicKey(plan: MosaicPlan, items: readonly DataItem[]): Promise<string> {
  const hash = createHash('sha256').update(`${k_keyVersion}\n`);
  for (const index of plan.tiles) {
    const { image, masks } = items[index]!;
    const used = plan.isAnomalous ? await Promise.all(masks.map(contentHash)) : [];
    hash.update(`${await pictureIdentity(image)} ${used.length === 0 ? '-' : used.join('+')}\n`);
  }
  return hash.digest('hex');
}

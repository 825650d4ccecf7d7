/** In which order an epoch takes its pictures. An index of `pictures` or more stands for a mosaic in a picture's place. */

import type { NativeAddon } from '../addon/native.js';
import type { MosaicPlan, MosaicPool } from '../data/mosaic-plan.js';
import { type GeneratorState, SeededGenerator } from '../data/seeded-generator.js';

export interface EpochOrders {
  /** Orders are drawn one after the other. @param epoch from 0 */
  next(epoch: number): Promise<Int32Array>;
  /** state of what draws, as text; `resumed` takes it back */
  readonly generator: string;
}

export interface OrderChoice {
  kind: 'seeded' | 'reference';
  seed: number;
  /** number of pictures */
  pictures: number;
  classOf(picture: number): string;
  mosaics: readonly MosaicPlan[];
  pool: MosaicPool;
}

/** @param resumed `generator` of an earlier process */
export function epochOrders(addon: NativeAddon, choice: OrderChoice, resumed?: string): EpochOrders {
  const generator =
    resumed === undefined
      ? SeededGenerator.of(choice.seed, 'order')
      : SeededGenerator.resume(JSON.parse(resumed) as GeneratorState);
  const placeOf = new Map(choice.mosaics.map((plan, at) => [plan, choice.pictures + at]));
  return {
    get generator() {
      return JSON.stringify(generator.state);
    },
    async next(epoch) {
      const order =
        choice.kind === 'reference'
          ? [...(await addon.referenceOrder(choice.seed, choice.pictures, epoch))]
          : generator.shuffle(Array.from({ length: choice.pictures }, (_, at) => at));
      return Int32Array.from(order, (picture) => {
        const plan = choice.pool.draw({ className: choice.classOf(picture) }, generator);
        return plan === undefined ? picture : placeOf.get(plan)!;
      });
    },
  };
}

/** An anomaly map: how anomalous each pixel is; of most methods a probability. Everything slow runs on the addon's or sharp's threads. */
import { types } from 'node:util';
import type { NativeAddon } from '../addon/native.js';
import { CraneError } from '../errors.js';
import type { Range } from '../methods/descriptor.js';
import { wrongValue } from '../options/check.js';
import { ownCopy } from './own-copy.js';
import { sharp } from './sharp.js';

export class AnomalyMap {
  /** [height, width] row-major, values within `range` */
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
  /** lowest and highest value that the method gives: [0, 1] for most */
  readonly range: Range;
  readonly #addon: NativeAddon;

  constructor(
    map: { data: Float32Array; width: number; height: number },
    addon: NativeAddon,
    range: Range = [0, 1],
  ) {
    this.data = map.data;
    this.width = map.width;
    this.height = map.height;
    this.range = range;
    this.#addon = addon;
  }

  /** @internal The values for work on other threads: the caller's own could be transferred away under them. @throws CraneError E_IMAGE_SHAPE, E_MEMORY */
  async ownData(): Promise<Float32Array> {
    const { data, width, height } = this;
    const count = width * height;
    if (!types.isFloat32Array(data)) throw wrongValue('a Float32Array', 'data of the map', data);
    if (data.length !== count) {
      const found = `a map of ${width} x ${height} needs ${count} values, got ${data.length}`;
      throw new CraneError('E_IMAGE_SHAPE', found, { hint: 'its array may have been transferred away' });
    }
    return ownCopy('the map', data, { row: count, rows: 1, stride: count });
  }

  /** The map in another size, bilinear; this one when it has that size. */
  async resizeTo(width: number, height: number): Promise<AnomalyMap> {
    for (const [name, side] of Object.entries({ width, height })) {
      if (!Number.isSafeInteger(side) || side < 1)
        throw wrongValue('a whole number of at least 1', name, side);
    }
    if (width === this.width && height === this.height) return this;
    const own = await this.ownData();
    const data = await this.#addon.resizeMap(own, this.width, this.height, width, height);
    return new AnomalyMap({ data, width, height }, this.#addon, this.range);
  }

  /** 16-bit grey PNG: 0 is the lowest value of the range, 65535 the highest. */
  async toPng(): Promise<Buffer> {
    const {
      width,
      height,
      range: [low, high],
    } = this;
    const data = await this.ownData();
    const scale = 65535 / (high - low);
    return sharp(data, { raw: { width, height, channels: 1 } })
      .linear(scale, 0.5 - low * scale) // the cast to 16 bits cuts: + 0.5 rounds
      .toColourspace('grey16')
      .png()
      .toBuffer();
  }
}

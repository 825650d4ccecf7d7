/** An anomaly map: one probability per pixel. Everything slow runs on the addon's or sharp's threads. */
import sharp from 'sharp';
import type { NativeAddon } from '../addon/native.js';
import { wrongValue } from '../options/check.js';

export class AnomalyMap {
  /** [height, width] row-major, values in [0, 1] */
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly #addon: NativeAddon;

  constructor(map: { data: Float32Array; width: number; height: number }, addon: NativeAddon) {
    this.data = map.data;
    this.width = map.width;
    this.height = map.height;
    this.#addon = addon;
  }

  /** The map in another size, bilinear; this one when it has that size. */
  async resizeTo(width: number, height: number): Promise<AnomalyMap> {
    for (const [name, side] of Object.entries({ width, height })) {
      if (!Number.isSafeInteger(side) || side < 1)
        throw wrongValue('a whole number of at least 1', name, side);
    }
    if (width === this.width && height === this.height) return this;
    const data = await this.#addon.resizeMap(this.data, this.width, this.height, width, height);
    return new AnomalyMap({ data, width, height }, this.#addon);
  }

  /** 16-bit grey PNG: 0 is 0, 1 is 65535. */
  async toPng(): Promise<Buffer> {
    const { data, width, height } = this;
    return sharp(data, { raw: { width, height, channels: 1 } })
      .linear(65535, 0.5) // the cast to 16 bits cuts: + 0.5 rounds
      .toColourspace('grey16')
      .png()
      .toBuffer();
  }
}

/** The machine's rate at libtorch's own matrix product, measured between the work of the parties. */
import type { NativeAddon } from '../engine/native.js';

/** Large enough that the rate does not grow any more. */
export const gemmSize = 4096;

export type GemmPrecision = 'float32' | 'bfloat16' | 'float16';

export interface Gemm {
  precision: GemmPrecision;
  /** of one product */
  seconds(): Promise<number>;
}

export function openGemm(addon: NativeAddon, precision: string, device: string): Gemm {
  const format: GemmPrecision = precision === 'bfloat16' || precision === 'float16' ? precision : 'float32';
  // On a GPU a single product is over before it was asked for.
  const repeats = device.startsWith('cuda') ? 100 : 1;
  return { precision: format, seconds: () => addon.gemmSeconds(gemmSize, repeats, format, device) };
}

/** GFLOP/s from the time of one product. */
export function gemmRate(seconds: number): number {
  return (2e-9 * gemmSize ** 3) / seconds;
}

/** The machine's rate at libtorch's own matrix product, measured between the work of the parties. */
import type { NativeAddon, Precision } from '../addon/native.js';

/** Large enough that the rate does not grow any more. */
export const gemmSize = 4096;

export interface GemmTime {
  seconds: number;
  /** processor time of all threads; on a GPU it says nothing and is left out */
  cpuSeconds?: number;
}

export interface Gemm {
  precision: Precision;
  /** one product */
  time(): Promise<GemmTime>;
}

export function openGemm(addon: NativeAddon, precision: string, device: string): Gemm {
  const format: Precision = precision === 'bfloat16' || precision === 'float16' ? precision : 'float32';
  const isGpu = device.startsWith('cuda');
  // On a GPU a single product is over before it was asked for.
  const repeats = isGpu ? 100 : 1;
  const time = async () => {
    const { seconds, cpuSeconds } = await addon.timeGemm(gemmSize, repeats, format, device);
    return isGpu ? { seconds } : { seconds, cpuSeconds };
  };
  return { precision: format, time };
}

/** GFLOP/s from the time of one product. */
export function gemmRate(seconds: number): number {
  return (2e-9 * gemmSize ** 3) / seconds;
}

/** The machine of a run, as far as it decides results. Figures of speed want another account (bench/machine.ts). */
import { cpus } from 'node:os';
import type { EngineFacts, NativeAddon, Precision } from '../addon/native.js';

/** What decides the last bits of a result. */
export interface Machine {
  cpu: string;
  isa: string;
  /** of the towers' products */
  precision: Precision;
  /** the face of every kernel, in the form CRANE_KERNELS takes */
  kernels: string;
  device: string;
  threads: number;
  libtorch: string;
}

export async function thisMachine(addon: NativeAddon, facts: EngineFacts): Promise<Machine> {
  const { isa, libtorch } = await addon.info();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    isa,
    precision: facts.precision,
    kernels: facts.kernels,
    device: facts.device,
    threads: facts.threads,
    libtorch,
  };
}

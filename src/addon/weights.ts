/** Weight files and tensors, as the engine addon reads and makes them. */

export interface TensorInfo {
  name: string;
  dtype: string;
  shape: number[];
  bytes: number;
}

export interface WeightFileInfo {
  container: 'safetensors' | 'torch-zip' | 'torchscript';
  /** naming family found, for instance 'openai-clip', 'dinov2', 'hf-clip', 'prompts'; '' when unknown */
  naming: string;
  metadata: Record<string, string>;
  tensors: TensorInfo[];
}

export interface SynthTensor {
  /** the recipe hashes `${salt}:${name}` */
  salt: string;
  name: string;
  shape: number[];
  /** null: constant */
  exponent: number | null;
  base: number;
  dtype: 'f32' | 'f16' | 'i32';
  /** columns with index >= this are multiplied by columnScale after the recipe (fixtures.md 2) */
  columnFrom?: number;
  columnScale?: number;
  /** dtype 'i32': the values themselves, as many as the shape holds, instead of exponent and base */
  values?: number[];
}

/** Weight files and tensors, as the engine addon reads and makes them. */

export interface TensorInfo {
  name: string;
  dtype: string;
  shape: number[];
  bytes: number;
}

export interface WeightFileInfo {
  /** 'shards': several files, of an index or a folder */
  container: 'safetensors' | 'torch-zip' | 'torchscript' | 'shards';
  /** naming family found, for instance 'openai-clip', 'dinov2', 'hf-clip', 'prompts'; '' when unknown */
  naming: string;
  /** what stands before every name of the model: 'state_dict.module.' */
  prefix: string;
  /** tensors that do not begin with it and are no part of the model: an optimiser's state */
  beside: number;
  /** all that was read */
  files: string[];
  metadata: Record<string, string>;
  tensors: TensorInfo[];
}

/** Rows of tokens that a prompt file brings, beside those of the tower's table. */
export interface TokenComparison {
  /** 0: one of the two has none */
  rows: number;
  /** largest difference of two values */
  difference: number;
  /** largest value of the table's rows */
  magnitude: number;
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

import type { NativePicture } from './picture.js';

/** What a method prepares a context from: whatever pictures are compared with. Which parts it needs is the method's. */
export interface Material {
  /** sentences by the name of their group ('normal', 'anomalous'), each as 77 token ids (tokenizer.ts) */
  texts: Record<string, Int32Array[]>;
  /** paths by the part they play ('prompts') */
  files: Record<string, string>;
  /** normal pictures to compare with; their pixels must not change before the context is made */
  normals?: NativePicture[];
  /** handles of contexts that it is made of, by the part they play ('bank'), in their order */
  contexts?: Record<string, number[]>;
  /** a file that has, or gets, what takes long to make of all this */
  kept?: string;
}

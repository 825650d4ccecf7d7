/** A toy case that ran: what further checks of it need. */
import type { CraneOptions, NativeEngine, TraceResult } from '#crane/addon/native.js';
import type { Batch } from '../models/toy-images.js';

export interface TracedCase {
  engine: NativeEngine;
  prompts: number;
  method: CraneOptions;
  batch: Batch;
  trace: TraceResult;
}

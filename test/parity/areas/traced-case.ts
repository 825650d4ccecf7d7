/** A toy case that ran: what further checks of it need. */
import type { MethodOptions, NativeEngine, TraceResult } from '#crane/addon/native.js';
import type { Batch } from '../models/toy-images.js';

export interface TracedCase {
  engine: NativeEngine;
  prompts: number;
  method: MethodOptions;
  batch: Batch;
  trace: TraceResult;
}

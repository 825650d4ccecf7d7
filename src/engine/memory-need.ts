import type { EngineFacts } from '../addon/native.js';

/** Two passes a lane are in the native engine, and it renders two views ahead of each (native/view_feed.h). */
const k_renderedViews = 4;

/** Upper estimates in bytes. On top come Node, libtorch and what the decoder works with. */
export interface MemoryNeed {
  weights: number;
  /** pictures in the towers: one, or one for each lane */
  working: number;
  /** pictures rendered for the passes to come */
  rendered: number;
  /** decoded pictures and results that wait; those of one forward pass more, if they are larger than the limit */
  decoded: number;
}

/** @param decodedLimit bytes, `maxDecodedBytes` */
export function memoryNeedOf(
  facts: Pick<EngineFacts, 'weightBytes' | 'workingBytes' | 'lanes'> & {
    input: { width: number; height: number };
  },
  decodedLimit: number,
): MemoryNeed {
  const { weightBytes, workingBytes, lanes, input } = facts;
  const view = 3 * input.width * input.height * Float32Array.BYTES_PER_ELEMENT;
  return {
    weights: weightBytes,
    working: lanes * workingBytes,
    rendered: lanes * k_renderedViews * view,
    decoded: decodedLimit,
  };
}

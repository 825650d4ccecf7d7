/** The diagnostics channel on which every forward pass is told, for whoever measures: node:diagnostics_channel. */
import { channel } from 'node:diagnostics_channel';

export const k_passChannel = 'crane-native.pass';

/** A forward pass that gave results. */
export interface PassMessage {
  pictures: number;
  /** since it began, or since the end of the pass before it in the engine */
  ms: number;
}

const passes = channel(k_passChannel);

export function tellPass(pictures: number, ms: number): void {
  if (passes.hasSubscribers) passes.publish({ pictures, ms } satisfies PassMessage);
}

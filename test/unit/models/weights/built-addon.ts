/** The engine as it was built, for tests that read and write weights; undefined where it is not built. */
import { loadAddon } from '../../../../src/addon/load-addon.js';
import type { NativeAddon } from '../../../../src/addon/native.js';

export async function builtAddon(): Promise<NativeAddon | undefined> {
  return loadAddon().then(
    ({ addon }) => addon,
    () => undefined,
  );
}

/** Which data sets a prompt file was learned on, where it says so: files of `crane-native train` do. */
import type { NativeAddon } from '../addon/native.js';

/** @returns undefined when the file does not say. @throws CraneError E_WEIGHTS_* of the file */
export async function learnedOnOf(addon: NativeAddon, path: string): Promise<string[] | undefined> {
  return learnedOnIn((await addon.inspectWeights(path)).metadata);
}

/** From the metadata of a prompt file. They are untrusted. */
export function learnedOnIn(metadata: Record<string, string>): string[] | undefined {
  const text = metadata['learnedOn'];
  if (text === undefined) return undefined;
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
}

/** Prompts that were learned on another tower bring other start and end tokens than the model's: two readings of one file. */
import type { Material, MethodOptions, NativeAddon } from '../addon/native.js';
import type { EngineWarning } from '../options/types.js';

/** Rounding to half precision moves a value by 2^-11 of itself, to bfloat16 by 2^-9. */
const k_rounding = 2 ** -8;

/** @returns undefined where the file brings no tokens, or the tower's within rounding */
export async function tokenWarning(
  addon: NativeAddon,
  towers: readonly string[],
  { path, material, method }: { path: string; material: Material; method: MethodOptions },
): Promise<EngineWarning | undefined> {
  const { texts, files } = material;
  if (files['prompts'] === undefined) return undefined;
  const ids = [texts['normal']?.[0] ?? [], texts['anomalous']?.[0] ?? []].map((text) => [...text]);
  const { rows, difference, magnitude } = await addon.compareStoredTokens([...towers], path, ids);
  if (rows === 0 || difference <= k_rounding * magnitude) return undefined;
  const compat = method['compat'] as { storedTokens?: boolean } | undefined;
  const used = compat?.storedTokens
    ? "The file's are used, as in the authors' code (compat.storedTokens)"
    : "The model's are used; the authors' code takes the file's, and scores otherwise: --compat.stored-tokens does as it does";
  const message = `${path}: its start and end tokens are not those of this model (values differ by up to ${difference.toPrecision(2)}, the model's reach ${magnitude.toPrecision(2)}), so it was learned on another text tower. ${used}`;
  return { code: 'W_PROMPT_TOKENS', message };
}

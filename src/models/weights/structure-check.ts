/** Compares a file that has no published checksum with what its tensors should be. */
import type { NativeAddon } from '../../addon/native.js';
import { CraneError } from '../../errors.js';
import type { PublicFile } from './addresses.js';
import { sizesOf } from './sizes.js';

/**
 * Every tensor by name, shape and finiteness (the addon's business), then the sizes of the tower.
 * @throws CraneError E_WEIGHTS_*
 */
export async function checkStructure(file: PublicFile, path: string, addon: NativeAddon): Promise<void> {
  const info = await addon.verifyWeights(path);
  const { expected } = file;
  if (!expected) return;
  if (info.container === 'safetensors') {
    throw new CraneError(
      'E_WEIGHTS_CONTAINER',
      `${path}: a converted copy, expected ${file.file} as published`,
      {
        hint: 'a copy is used through a model.json of your own',
      },
    );
  }
  const namings = [expected.naming].flat();
  if (!namings.includes(info.naming)) {
    throw new CraneError(
      'E_WEIGHTS_NAMING',
      `${path}: its tensors are named as ${info.naming || 'no known family'} does, expected ${namings.join(' or ')} for ${file.name}`,
    );
  }
  const found = sizesOf(info).vision;
  const wrong = Object.entries(expected.vision).filter(
    ([size, value]) => found?.[size as keyof typeof found] !== value,
  );
  if (wrong.length === 0) return;
  const list = (sizes: [string, unknown][]) => sizes.map(([size, value]) => `${size} ${value}`).join(', ');
  throw new CraneError(
    'E_WEIGHTS_SHAPE',
    `${path}: a tower of ${list(wrong.map(([size]) => [size, found?.[size as keyof typeof found] ?? 'unknown']))}, expected ${list(wrong)} for ${file.name}`,
  );
}

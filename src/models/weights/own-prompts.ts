/** A prompt file of the user's, checked and named. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { NativeAddon } from '../../addon/native.js';
import { CraneError } from '../../errors.js';
import { sha256OfFile } from '../../files/content-hash.js';
import { promptOrigin } from '../prompt-origin.js';
import type { AddressTable, PublicModel } from './addresses.js';
import { fullSizes } from './recipe.js';
import { sizesOf } from './sizes.js';

export interface OwnPrompts {
  path: string;
  /** name of the set in model.json */
  set: string;
  sha256: string;
  /** null: nobody says */
  learnedOn: string[] | null;
}

/**
 * A copy of the authors' is recognised by its sha256 and gets the set's published name.
 * @throws CraneError E_PROMPTS, E_WEIGHTS_*
 */
export async function readOwnPrompts(
  given: string,
  learnedOn: readonly string[],
  model: PublicModel,
  table: AddressTable,
  addon: NativeAddon,
): Promise<OwnPrompts> {
  const path = resolve(given);
  const facts = await stat(path).catch(() => undefined);
  if (!facts?.isFile()) {
    throw new CraneError('E_PROMPTS', `${given}: ${facts ? 'is a folder' : 'there is no such file'}`, {
      hint: '--prompts takes a file with learned prompts, for instance epoch_5.pth',
    });
  }
  const info = await addon.verifyWeights(path);
  if (info.naming !== 'prompts') {
    throw new CraneError('E_PROMPTS', `${given}: holds no learned prompts (ctx_pos, ctx_neg ...)`, {
      hint: 'a checkpoint of the authors or of `crane-native train` is needed',
    });
  }
  // Both models have the text tower of CLIP ViT-L/14.
  const width = sizesOf(info).prompts?.width;
  if (width !== fullSizes.prompts.width) {
    throw new CraneError(
      'E_PROMPTS',
      `${given}: prompts of width ${width}, expected ${fullSizes.prompts.width} for ${model.name}`,
      { hint: 'they were learned with another model' },
    );
  }
  const sha256 = await sha256OfFile(path);
  const known = table.files.find((file) => file.sha256 === sha256);
  const set = model.prompts.find(({ file }) => file === known?.name)?.set ?? known?.name ?? setName(path);
  return {
    path,
    set,
    sha256,
    learnedOn:
      learnedOn.length > 0
        ? [...learnedOn]
        : (known?.learnedOn ?? (await promptOrigin(addon, path, sha256)).learnedOn),
  };
}

/** epoch_5.pth -> epoch_5 */
function setName(path: string): string {
  const stem = basename(path).replace(/\.[^.]*$/, '');
  return stem.toLowerCase().replace(/[^a-z0-9+._-]+/g, '-') || 'own';
}

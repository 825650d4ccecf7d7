/** Tells whether a file is the mask of a picture, looking at what lies beside it only where its name may be a mask's. */
import { basename, dirname, join } from 'node:path';
import { hasPictureEnding } from '../scan/file-kind.js';
import { listFolder } from '../scan/list-folder.js';
import { isMaskFolder, masksBeside, pictureStemsOf } from '../scan/mask-names.js';

export class MaskLookup {
  /** of the folder that was looked at last: lists go folder by folder */
  #last: { folder: string; masks: Promise<Map<string, string>> } | undefined;

  readonly #isOff: boolean;

  /** @param isOff nothing is taken for a mask */
  constructor(isOff: boolean) {
    this.#isOff = isOff;
  }

  /** The picture that a file is the mask of; undefined: it is none. */
  async pictureOf(path: string): Promise<string | undefined> {
    const name = basename(path);
    const [stem] = pictureStemsOf(name);
    if (this.#isOff || stem === undefined || !hasPictureEnding(name)) return undefined;
    const folder = dirname(path);
    const beside = (await this.#masksIn(folder)).get(name);
    if (beside !== undefined) return join(folder, beside);
    return folder.split(/[/\\]/).some(isMaskFolder) ? stem : undefined;
  }

  #masksIn(folder: string): Promise<Map<string, string>> {
    if (this.#last?.folder !== folder) {
      const masks = listFolder(folder)
        .then((entries) => masksBeside(entries.map((entry) => entry.name)))
        .catch(() => new Map<string, string>());
      this.#last = { folder, masks };
    }
    return this.#last.masks;
  }
}

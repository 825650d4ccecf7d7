/** The masks of one folder, found for the pictures of another. */
import { isMaskFolder, type MaskGroup, MaskNames, stemOf } from '../../scan/mask-names.js';
import type { PictureTree } from './picture-tree.js';

export class MaskFolder {
  readonly #exact: MaskNames;
  readonly #flat: MaskNames;
  readonly #byFolder = new Map<string, string[]>();
  /** folders that are known by another path, below this one */
  readonly #links: ReadonlyMap<string, string>;

  private constructor(
    /** below the root */
    readonly path: string,
    paths: readonly string[],
    links: ReadonlyMap<string, string>,
  ) {
    this.#links = links;
    this.#exact = new MaskNames(paths);
    this.#flat = new MaskNames(paths.filter((one) => !one.includes('/')));
    for (const one of paths) {
      const folder = one.slice(0, Math.max(0, one.lastIndexOf('/'))).normalize('NFC');
      if (folder === '') continue;
      const known = this.#byFolder.get(folder);
      if (known) known.push(one);
      else this.#byFolder.set(folder, [one]);
    }
  }

  static async open(tree: PictureTree, path: string): Promise<MaskFolder> {
    const below = (folder: string) => folder.slice(path.length + 1);
    const links = [...(await tree.linksBelow(path))].map(
      ([link, known]) => [below(link), below(known)] as const,
    );
    return new MaskFolder(path, await tree.picturesBelow(path), new Map(links));
  }

  /**
   * Paths below the root of the masks of a picture: NAME_mask in the same place below this folder, all that is in a folder
   * NAME (MVTec LOCO), or NAME_mask right in this folder.
   * @param picture its path below the folder of its kind
   */
  find(picture: string): MaskGroup | undefined {
    const group =
      this.#inPlace(picture) ??
      this.#throughLink(picture) ??
      (picture.includes('/') ? this.#flat.find(picture.slice(picture.lastIndexOf('/') + 1)) : undefined);
    return group && { ...group, masks: group.masks.map((one) => `${this.path}/${one}`) };
  }

  #inPlace(picture: string): MaskGroup | undefined {
    const ofFolder = this.#byFolder.get(stemOf(picture).normalize('NFC'));
    return this.#exact.find(picture) ?? (ofFolder && { masks: ofFolder, isUnclear: false });
  }

  /** Two folders of pictures may share their masks: each has them by its own path. */
  #throughLink(picture: string): MaskGroup | undefined {
    for (let at = picture.indexOf('/'); at >= 0; at = picture.indexOf('/', at + 1)) {
      const link = picture.slice(0, at);
      const known = this.#links.get(link);
      const group = known === undefined ? undefined : this.#inPlace(known + picture.slice(at));
      if (group) return { ...group, masks: group.masks.map((one) => link + one.slice(known!.length)) };
    }
    return undefined;
  }
}

/** Where the masks of a kind may lie within a folder, the most special place first. */
export async function maskFoldersIn(tree: PictureTree, folder: string, kind: string): Promise<string[]> {
  const below = folder === '' ? '' : `${folder}/`;
  const names = (await tree.folders(folder)).filter(isMaskFolder);
  const ofKind = await Promise.all(names.map((name) => tree.folder(`${below}${name}/${kind}`)));
  return [...ofKind.filter((path) => path !== undefined), ...names.map((name) => below + name)];
}

/** Which picture of a folder an annotation means. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stemOf } from '../../scan/mask-names.js';
import { eachBounded } from '../each-bounded.js';

const k_atOnce = 16;

/** Where a picture was found that an annotation names. */
export interface NamedPlace {
  path: string;
  /** by its folder too, not by its name alone */
  isSure: boolean;
}

export class Places {
  readonly #paths: ReadonlySet<string>;
  readonly #folders: ReadonlySet<string>;
  readonly #links: ReadonlyMap<string, string>;
  readonly #byStem = new Map<string, Namesakes>();
  readonly #byName = new Map<string, Namesakes>();

  /** @param links other paths of folders, from `linkedFolders` */
  constructor(paths: readonly string[], links: ReadonlyMap<string, string> = new Map()) {
    this.#links = links;
    this.#paths = new Set(paths);
    this.#folders = foldersOf(paths);
    for (const path of paths) {
      // A Mac writes accents in another form than annotations have them.
      add(this.#byName, basename(path).normalize('NFC'), path);
      add(this.#byStem, basename(stemOf(path)).normalize('NFC'), path);
    }
  }

  find(name: string, within: string, isStem: boolean): NamedPlace | undefined {
    for (const place of isStem ? [] : [within, '']) {
      const path = join(this.#known(join(place, dirname(name))), basename(name));
      if (this.#paths.has(path)) return { path, isSure: true };
    }
    const known = (isStem ? this.#byStem : this.#byName).get(basename(name).normalize('NFC'));
    if (known === undefined) return undefined;
    // labels/train/1.txt and images/train/1.jpg: another picture of that name, in images/val, is another one.
    const texts = join(within, dirname(name));
    const images = this.imagesFor(texts);
    const placeOf = (path: string | undefined) =>
      path === undefined ? undefined : { path, isSure: [this.#known(texts), images].includes(dirname(path)) };
    if (isStem && images !== texts && this.#folders.has(images)) return placeOf(known.inFolder(images));
    // Of several, the one in a folder of the same name.
    return placeOf(known.only ?? known.inFolderNamed(basename(texts)));
  }

  /** Where the pictures of the texts in a folder lie. */
  imagesFor(texts: string): string {
    return this.#known(imagesFor(texts));
  }

  #known(folder: string): string {
    return this.#links.get(folder) ?? folder;
  }
}

/** Pictures of one name: there may be as many as folders, and as many annotations. */
class Namesakes {
  readonly #paths: string[] = [];
  /** made at the first question */
  #byFolder: ReadonlyMap<string, string | undefined> | undefined;
  #byFolderName: ReadonlyMap<string, string | undefined> | undefined;

  add(path: string): void {
    this.#paths.push(path);
  }

  get only(): string | undefined {
    return this.#paths.length === 1 ? this.#paths[0] : undefined;
  }

  /** undefined: none or several */
  inFolder(folder: string): string | undefined {
    this.#byFolder ??= onlyOnes(this.#paths, dirname);
    return this.#byFolder.get(folder);
  }

  /** The same by the folder's own name alone. */
  inFolderNamed(name: string): string | undefined {
    this.#byFolderName ??= onlyOnes(this.#paths, (path) => basename(dirname(path)));
    return this.#byFolderName.get(name);
  }
}

/** undefined: several */
function onlyOnes(
  paths: readonly string[],
  folderOf: (path: string) => string,
): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const path of paths) {
    const folder = folderOf(path);
    found.set(folder, found.has(folder) ? undefined : path);
  }
  return found;
}

function add(map: Map<string, Namesakes>, name: string, path: string): void {
  const known = map.get(name) ?? new Namesakes();
  known.add(path);
  map.set(name, known);
}

/** Of `labels/train` the `images/train`, which is where YOLO looks for its pictures. */
export function imagesFor(folder: string): string {
  return folder.replace(/(^|\/)labels(?=\/|$)/i, '$1images');
}

/**
 * Of folders that annotations name, those that are known by another path: through a link, as the tree has each real folder
 * by one path only.
 * @param named below the root, also with `labels` where `images` is meant
 */
export async function linkedFolders(
  root: string,
  known: ReadonlySet<string>,
  named: readonly string[],
): Promise<Map<string, string>> {
  const folders = new Set(named);
  for (const folder of [...folders]) folders.add(imagesFor(folder));
  const unknown = [...folders].filter((folder) => folder !== '.' && !known.has(folder));
  const realOf = (folder: string) => realpath(join(root, folder)).catch(() => undefined);
  const reals = await eachBounded(unknown, k_atOnce, realOf);
  if (reals.every((real) => real === undefined)) return new Map();
  const paths = [...known];
  const byReal = new Map(
    (await eachBounded(paths, k_atOnce, realOf)).map((real, at) => [real, paths[at]!] as const),
  );
  const links = new Map<string, string>();
  for (const [at, real] of reals.entries()) {
    const path = real === undefined ? undefined : byReal.get(real);
    if (path !== undefined) links.set(unknown[at]!, path);
  }
  return links;
}

/** Those that lie in one of the paths, at any depth. */
export function foldersOf(paths: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const path of paths)
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  return folders;
}

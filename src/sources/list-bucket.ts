/** The pictures of a bucket below a prefix, page by page in the order of their keys; whatever else is there is counted. */
import { basename, dirname } from 'node:path/posix';
import { kindOfFileName, kindOfFolderName } from '../scan/file-kind.js';
import { isMaskFolder, pictureStemsOf, stemOf } from '../scan/mask-names.js';
import type { ScanAccount } from '../scan/scan-account.js';
import { openStore } from '../stores/open-store.js';

export interface BucketOptions {
  recursive: boolean;
  includeMasks: boolean;
  /** addresses below which nothing is taken */
  exclude: readonly string[];
  account: ScanAccount;
}

/** A picture's masks stand close behind it: "a.png", "a_mask.png". */
const k_remembered = 256;

/** @param address s3://BUCKET/PREFIX. @throws CraneError E_USAGE, E_INPUT_*, E_DOWNLOAD, E_DEPENDENCY */
export async function* listBucket(
  address: string,
  { recursive, includeMasks, exclude, account }: BucketOptions,
): AsyncGenerator<string> {
  const base = address.endsWith('/') ? address.slice(0, -1) : address;
  const store = await openStore(base);
  const recent = new Recent();
  for await (const { key } of store.list('')) {
    const shown = `${base}/${key}`;
    const name = basename(key);
    const folders = dirname(key) === '.' ? [] : dirname(key).split('/');
    const folderKind = folders.map(kindOfFolderName).find((kind) => kind !== 'folder');
    const kind = kindOfFileName(name);
    if (key.endsWith('/')) continue;
    const own = exclude.find((each) => shown.startsWith(each.endsWith('/') ? each : `${each}/`));
    if (own !== undefined) account.leaveOut('own-output', own);
    else if (folderKind === 'hidden' || folderKind === 'rubbish') account.leaveOut(folderKind, shown);
    else if (!recursive && folders.length > 0) account.leaveOut('subfolder', `${base}/${folders[0]}`);
    else if (kind === 'rubbish' || kind === 'hidden') account.leaveOut(kind, shown);
    else if (kind === 'unread-picture') account.leaveOut('kind-not-read', shown);
    else if (kind === 'other') account.leaveOut('no-picture', shown);
    else if (!includeMasks && (folders.some(isMaskFolder) || recent.hasPictureOf(key)))
      account.leaveOut('mask', shown);
    else {
      recent.add(key);
      account.takePicture();
      yield shown;
    }
  }
}

/** The stems of the last keys, in the order they came. */
class Recent {
  readonly #stems = new Set<string>();

  add(key: string): void {
    this.#stems.add(stemIn(key));
    if (this.#stems.size > k_remembered) this.#stems.delete(this.#stems.values().next().value!);
  }

  hasPictureOf(mask: string): boolean {
    return pictureStemsOf(basename(mask)).some((stem) => this.#stems.has(`${dirname(mask)}/${stem}`));
  }
}

function stemIn(key: string): string {
  return `${dirname(key)}/${stemOf(basename(key))}`;
}

/**
 * Finds the mask of a picture by its name: the same stem, the stem with `_mask` or `_label`, in any file type. Never
 * by position in sorted lists, where one missing file shifts every later pair.
 */

export const maskSuffixes: readonly string[] = ['_mask', '_label'];

export class MaskNames {
  private readonly byStem_ = new Map<string, string[]>();

  constructor(
    names: readonly string[],
    private readonly suffixes: readonly string[] = maskSuffixes,
  ) {
    for (const name of names) {
      const known = this.byStem_.get(stemOf(name));
      if (known) known.push(name);
      else this.byStem_.set(stemOf(name), [name]);
    }
  }

  /** Masks that fit by name; more than one is for the caller to refuse. */
  find(picture: string): readonly string[] {
    const stem = stemOf(picture);
    for (const suffix of [...this.suffixes, '']) {
      const found = this.byStem_.get(stem + suffix);
      if (found) return found;
    }
    return [];
  }
}

export function stemOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

/** The names that folders of own pictures go by. */

const k_normalKinds = new Set(['good', 'ok', 'normal']);
const k_maskFolders = ['masks', 'mask', 'ground_truth'];

export function isNormalKind(name: string): boolean {
  return k_normalKinds.has(name);
}

export function isMaskFolder(name: string): boolean {
  return k_maskFolders.includes(name);
}

/** Where the masks of a kind may lie beside its pictures, the most special place first. */
export function maskFolders(folder: string, kind: string): string[] {
  const below = folder === '' ? '' : `${folder}/`;
  return [
    ...k_maskFolders.map((name) => `${below}${name}/${kind}`),
    ...k_maskFolders.map((name) => `${below}${name}`),
  ];
}

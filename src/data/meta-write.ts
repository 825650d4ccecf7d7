/** Writes meta.json in the form of the reference: the same items give the same bytes. */
import { relative, resolve, sep } from 'node:path';
import { CraneError } from '../errors.js';
import type { DataItem, DefectArea, Split } from './data-set.js';
import type { NamedValues } from './mask-values.js';

export interface MetaOptions {
  /** the folder that the index will lie in: the root, or a folder above it */
  folder?: string;
  defects?: readonly DefectArea[];
  maskValues?: NamedValues;
  /** `specie_name` is left empty, as the authors' scripts do for this data set */
  hasNoKinds?: boolean;
}

/** @throws CraneError E_USAGE when pictures lie outside of the index's folder */
export function metaText(
  items: Record<Split, readonly DataItem[]>,
  root: string,
  { folder = root, defects, maskValues, hasNoKinds = false }: MetaOptions = {},
): string {
  const prefix = prefixFrom(resolve(folder), resolve(root));
  const parts = (['train', 'test'] as const).map(
    (split) => ` ${JSON.stringify(split)}: ${splitText(items[split], prefix, hasNoKinds)}`,
  );
  if (defects !== undefined) parts.push(` "defects": ${JSON.stringify(defects)}`);
  if (maskValues !== undefined) parts.push(` "mask_values": ${JSON.stringify(maskValues)}`);
  return `{\n${parts.join(',\n')}\n}\n`;
}

/** One line a picture. Put together by hand: objects would move classes whose names are numbers to the front. */
function splitText(items: readonly DataItem[], prefix: string, hasNoKinds: boolean): string {
  const byClass = new Map<string, string[]>();
  for (const { imagePath, maskPaths, className, kind, isAnomalous } of items) {
    const masks = maskPaths.map((path) => prefix + path);
    const line = JSON.stringify({
      img_path: prefix + imagePath,
      mask_path: masks[0] ?? '',
      cls_name: className,
      specie_name: hasNoKinds ? '' : kind,
      anomaly: isAnomalous ? 1 : 0,
      ...(masks.length > 1 ? { mask_paths: masks } : {}),
    });
    const lines = byClass.get(className);
    if (lines) lines.push(line);
    else byClass.set(className, [line]);
  }
  const classes = [...byClass].map(
    ([className, lines]) => `  ${JSON.stringify(className)}: [\n   ${lines.join(',\n   ')}\n  ]`,
  );
  return classes.length === 0 ? '{}' : `{\n${classes.join(',\n')}\n }`;
}

function prefixFrom(folder: string, root: string): string {
  const path = relative(folder, root).split(sep);
  if (path[0] === '..')
    throw new CraneError(
      'E_USAGE',
      `an index in ${folder} cannot name pictures in ${root} by paths below it`,
      {
        hint: 'write it into the root, or into a folder above it',
      },
    );
  return path[0] === '' ? '' : `${path.join('/')}/`;
}

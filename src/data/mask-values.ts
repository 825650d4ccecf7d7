/** Which values of a label map are defects, as `--mask-values` names them: numbers, colours, or names of a labels file. */
import { CraneError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import type { DataChoices } from '../options/types.js';
import { type MaskMeaning, readMaskLabels } from './mask-labels.js';

/** One of them, plain data: a number of one channel or of a palette, or a colour #rrggbb. */
export interface MaskValue {
  /** as it was given */
  text: string;
  number?: number;
  colour?: string;
}

export type NamedValues = readonly MaskValue[];

/** @returns undefined where nothing was chosen: all above 0 is a defect. @throws CraneError E_USAGE, those of readMaskLabels */
export async function chosenMaskValues({
  maskValues,
  maskLabels,
}: Pick<DataChoices, 'maskValues' | 'maskLabels'>): Promise<NamedValues | undefined> {
  if (maskValues === undefined || maskValues.length === 0) {
    if (maskLabels === undefined) return undefined;
    throw new CraneError('E_USAGE', `${maskLabels}: names for mask values, of which none is chosen`, {
      hint: 'say which are defects: --mask-values NAME,NAME (maskValues)',
    });
  }
  const labels = maskLabels === undefined ? undefined : await readMaskLabels(maskLabels);
  const seen = new Set<string>();
  return maskValues
    .map((text) => meant(text, labels, maskLabels))
    .filter((value) => {
      const key = identityOfValue(value);
      const isNew = !seen.has(key);
      seen.add(key);
      return isNew;
    });
}

function meant(
  text: string,
  labels: ReadonlyMap<string, MaskMeaning> | undefined,
  file: string | undefined,
): MaskValue {
  const named = labels && find(labels, text);
  if (named) return { text, ...named };
  if (/^\d{1,10}(\.\d+)?$/.test(text)) return { text, number: Number(text) };
  if (/^#[0-9a-f]{6}$/i.test(text)) return { text, colour: text.toLowerCase() };
  if (labels === undefined)
    throw new CraneError('E_USAGE', `mask value "${text}" is neither a number nor a colour like #ff0000`, {
      hint: 'names need the file that explains them: --mask-labels FILE (maskLabels); colours are quoted in a shell: --mask-values "#ff0000"',
    });
  const near = nearestName(text, [...labels.keys()]);
  throw new CraneError('E_USAGE', `${file}: has no label "${text}"`, {
    hint: near ? `did you mean "${near}"?` : `it has ${[...labels.keys()].slice(0, 12).join(', ')}`,
  });
}

function find(labels: ReadonlyMap<string, MaskMeaning>, name: string): MaskMeaning | undefined {
  const exact = labels.get(name);
  if (exact) return exact;
  const alike = [...labels].filter(([label]) => label.toLowerCase() === name.toLowerCase());
  return alike.length === 1 ? alike[0]![1] : undefined;
}

/** What decides which pixels are marked, whatever it was called. */
function identityOfValue({ number, colour }: MaskValue): string {
  return colour ?? String(number);
}

/** Equal for equal pixels: for keys and fingerprints. Empty where nothing was chosen. */
export function identityOfValues(values: NamedValues | undefined): string {
  return values === undefined ? '' : ` values ${values.map(identityOfValue).sort().join(',')}`;
}

/** `scratch (1), #ff0000` */
export function shownValues(values: NamedValues): string {
  return values
    .map((value) => {
      const plain = identityOfValue(value);
      return plain === value.text.toLowerCase() ? plain : `${value.text} (${plain})`;
    })
    .join(', ');
}

/** What a bank says of itself: the model whose patches it holds, the pictures, how they were taken. */
import { createHash } from 'node:crypto';
import type { SettingValue } from '../methods/descriptor.js';

/** Where it stands in the metadata of a bank's file. */
export const k_factsKey = 'crane.normals.facts';

/** What of images/reading.ts decides pixels. */
export interface BankReading {
  bitDepth?: 'auto' | number | undefined;
  valueRange?: { low: number; high: number } | null | undefined;
  grey16?: boolean | undefined;
}

export interface BankPicture {
  name: string;
  sha256: string;
  /** of a bank that leaves out the background: patches of the picture and its copies that were; 0: it shows none, and is whole */
  leftOut?: number | undefined;
  /** and how many these have */
  patches?: number | undefined;
}

export interface BankFacts {
  /** name of the model, for messages */
  model: string;
  /** of all that decides a patch (engine/bank-sets.ts) */
  towers: string;
  tower: 'vision' | 'source';
  /** of the vision tower; none of the source */
  blocks: number[];
  /** of each picture: turned copies with the picture itself, and whether each is mirrored too */
  turns: number;
  mirror: boolean;
  /** of the subspace that patches lie in; absent: a bank of all patches */
  kind?: 'subspace' | undefined;
  /** of a subspace: share of the patches' variance that its axes hold */
  variance?: number | undefined;
  /** rows that were chosen to stand for all; absent: it has all */
  size?: number | undefined;
  /** patches of a plain background are left out; absent: pictures are compared whole */
  foreground?: true | undefined;
  /** what its rows are rounded to; absent: float32 */
  precision?: 'float16' | 'bfloat16' | undefined;
  /** what it holds of each picture beside its patches, by the settings that decided it (descriptor.ts) */
  beside?: Readonly<Record<string, SettingValue>> | undefined;
  /** how the pictures were read, where that was not the default */
  reading?: BankReading | undefined;
  /** the pictures were opened as they are stored, whatever their EXIF orientation (compat.exif off) */
  asStored?: true | undefined;
  /** in the order of their rows */
  pictures: BankPicture[];
  /** whose memory it is, which has no copies; absent: a bank of method normals */
  method?: string | undefined;
  /** of a memory: the method's settings that decided what is kept of a picture */
  settings?: Readonly<Record<string, SettingValue>> | undefined;
}

/** Equal for banks with equal rows; names of pictures decide nothing. */
export function bankIdentity({ model: _, pictures, ...rest }: BankFacts): string {
  const content = JSON.stringify([rest, pictures.map((picture) => picture.sha256)]);
  return createHash('sha256').update(content).digest('hex');
}

/** For people. */
export function bankText({
  tower,
  blocks,
  turns,
  mirror,
  kind,
  variance,
  size,
  foreground,
  precision,
  method,
  settings,
}: Omit<BankFacts, 'model' | 'towers' | 'pictures'>): string[] {
  if (method !== undefined) {
    const of = Object.entries(settings ?? {}).map(([name, value]) => `${name} ${String(value)}`);
    return [[`the memory of method ${method}`, ...of].join(', ')];
  }
  return [
    tower === 'source' ? 'the spatial source' : `block ${blocks.join(', ')} of the vision tower`,
    `${turns} turns`,
    ...(mirror ? ['mirrored'] : []),
    ...(kind === 'subspace' ? [`a subspace of ${100 * variance!} % of the variance`] : []),
    ...(size === undefined ? [] : [`${size} chosen rows`]),
    ...(foreground ? ['without the background'] : []),
    ...(precision === undefined ? [] : [precision]),
  ];
}

export function metadataOf(facts: BankFacts): Record<string, string> {
  return { [k_factsKey]: JSON.stringify(facts) };
}

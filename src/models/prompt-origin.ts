/** What prompts were learned on, as far as a file, what lies beside it, or its checksum tell. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { NativeAddon } from '../addon/native.js';
import { k_pictureDigits } from '../files/content-hash.js';
import { recallPrompts } from './known-prompts.js';
import { publishedPrompts } from './published-prompts.js';

export interface PromptOrigin {
  /** data sets; null: not known */
  learnedOn: string[] | null;
  /** first hexadecimal digits of the sha256 of the pictures; null: not known */
  learnedPictures: ReadonlySet<string> | null;
}

const k_unknown: PromptOrigin = { learnedOn: null, learnedPictures: null };
const k_pictureList = new RegExp(`^[0-9a-f]{${k_pictureDigits}}( [0-9a-f]{${k_pictureDigits}})*$`);

/**
 * The file's own word first (files of `crane-native train` have it), then that of the training folder it lies in, then by its
 * content, whatever it is called and wherever it lies: what was learned here, and the authors' published files.
 * @throws CraneError E_WEIGHTS_* of the file
 */
export async function promptOrigin(addon: NativeAddon, path: string, sha256: string): Promise<PromptOrigin> {
  const own = originIn((await addon.inspectWeights(path)).metadata);
  if (own.learnedOn !== null) return own;
  const beside = await originBeside(addon, path, sha256);
  if (beside !== undefined) return beside;
  const known = originIn((await recallPrompts(sha256)) ?? {});
  if (known.learnedOn !== null) return known;
  const published = publishedPrompts(sha256);
  return published === undefined ? k_unknown : { learnedOn: [published.learnedOn], learnedPictures: null };
}

/** From the metadata of a prompt file. They are untrusted. */
export function originIn(metadata: Record<string, string>): PromptOrigin {
  const learnedOn = namesIn(metadata['learnedOn']);
  if (learnedOn === null) return k_unknown;
  const pictures = metadata['learnedPictures'];
  const isList = pictures !== undefined && k_pictureList.test(pictures);
  return { learnedOn, learnedPictures: isList ? new Set(pictures.split(' ')) : null };
}

/** The same as metadata of a file. */
export function originMetadata({ learnedOn, learnedPictures }: PromptOrigin): Record<string, string> {
  return {
    ...(learnedOn === null ? {} : { learnedOn: JSON.stringify(learnedOn) }),
    ...(learnedPictures === null ? {} : { learnedPictures: [...learnedPictures].join(' ') }),
  };
}

function namesIn(text: string | undefined): string[] | null {
  if (text === undefined) return null;
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : null;
  } catch {
    return null;
  }
}

/**
 * Prompts of one epoch carry no metadata: those of the finished training beside them, or its record, do. Under another name they
 * are known by the checksum in the record.
 */
async function originBeside(
  addon: NativeAddon,
  path: string,
  sha256: string,
): Promise<PromptOrigin | undefined> {
  const folder = dirname(path);
  if (!/^epoch_\d+\.pth$/.test(basename(path)) && !(await isRecorded(folder, sha256))) return undefined;
  const final = await addon.inspectWeights(join(folder, 'prompts.safetensors')).then(
    ({ metadata }) => originIn(metadata),
    () => k_unknown,
  );
  if (final.learnedOn !== null) return final;
  try {
    const record = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8'));
    const names = namesIn(JSON.stringify(record?.data?.learnedOn));
    return names === null ? undefined : { learnedOn: names, learnedPictures: null };
  } catch {
    return undefined;
  }
}

async function isRecorded(folder: string, sha256: string): Promise<boolean> {
  try {
    const { epochs } = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as { epochs?: unknown };
    return Array.isArray(epochs) && epochs.some((of: { sha256?: unknown } | null) => of?.sha256 === sha256);
  } catch {
    return false;
  }
}

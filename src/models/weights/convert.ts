/** Converts weights of any known container and naming to one safetensors file with the canonical names. */
import { rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import type { NativeAddon } from '../../addon/native.js';
import { CraneError } from '../../errors.js';
import { sha256OfFile } from '../../files/content-hash.js';
import { removeLeft } from '../../files/left-files.js';
import { makeFolder } from '../../files/make-folder.js';
import { temporaryBeside, withoutTemporary } from '../../files/temporary-name.js';
import { exists, isThere, publishNew } from '../../files/write-whole.js';
import { originMetadata, promptOrigin } from '../prompt-origin.js';
import { sha256OfFiles } from './verify.js';

export interface ConvertRequest {
  /** together they hold one model: for instance one file with the vision tower and one with the text tower */
  inputs: readonly string[];
  out: string;
  dtype: 'f32' | 'f16';
  overwrite: boolean;
}

export interface Converted {
  file: string;
  bytes: number;
  sha256: string;
}

/**
 * Whole or not at all; an existing file is replaced only with `overwrite`. The file's metadata names the inputs
 * and their sha256. @throws CraneError E_USAGE, E_EXISTS, E_WEIGHTS_*, E_IO_*
 */
export async function convert(
  { inputs, out, dtype, overwrite }: ConvertRequest,
  addon: NativeAddon,
): Promise<Converted> {
  if (extname(out) !== '.safetensors') {
    throw new CraneError('E_USAGE', `Expected a name ending in .safetensors for --out but received "${out}"`);
  }
  const file = resolve(out);
  if ((await stat(file).catch(() => undefined))?.isDirectory())
    throw new CraneError('E_EXISTS', `${out}: is a folder`, { hint: 'choose another --out' });
  if (!overwrite && (await isThere(file))) throw exists(out);
  // Unreadable inputs are told by the addon, before anything is hashed.
  for (const input of inputs) await addon.inspectWeights(input);

  const temporary = temporaryBeside(file);
  try {
    await makeFolder(dirname(file));
    await removeLeft(dirname(file), { of: file });
    await addon.convertWeights([...inputs], temporary, dtype, await origin(inputs, addon));
    if (overwrite) await rename(temporary, file);
    else await publishNew(temporary, file, out);
  } catch (thrown) {
    throw withoutTemporary(thrown, temporary, out);
  } finally {
    await rm(temporary, { force: true });
  }
  return { file, bytes: (await stat(file)).size, sha256: await sha256OfFile(file) };
}

/** What prompts were learned on goes with them: a converted file is known by no checksum. */
async function origin(inputs: readonly string[], addon: NativeAddon): Promise<Record<string, string>> {
  const named: string[] = [];
  let learned: Record<string, string> = {};
  for (const input of inputs) {
    const { files } = await addon.inspectWeights(input);
    const sha256 = await sha256OfFiles(files);
    for (const file of files) named.push(`${basename(file)} sha256:${await sha256OfFile(file)}`);
    learned = { ...learned, ...originMetadata(await promptOrigin(addon, input, sha256)) };
  }
  return { format: 'crane', 'converted-from': named.join('; '), ...learned };
}

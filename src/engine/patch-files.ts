/**
 * The patches of single pictures in files of a folder, so that each goes through the towers once, however many banks it is in
 * or is compared with, and however often the work is ended. A file is whole or not there, and found again by all that decides
 * its content.
 */
import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../errors.js';
import type { PictureInput } from '../images/picture-input.js';
import { type BankFacts, bankIdentity } from '../normals/bank-facts.js';
import type { NormalBank } from '../normals/normal-bank.js';
import { bankFacts, type LearningParts, type LearnNormalsOptions, learnBank } from './learn-normals.js';

const k_digits = 32;

export interface KeptPicture {
  input: PictureInput;
  name: string;
  /** of its content */
  sha256: string;
}

export interface PatchesOfPicture {
  /** of this picture alone, the caller's to remove; mapped from the file */
  bank: NormalBank;
  path: string;
}

/** @throws CraneError E_INPUT_CHANGED where its content is another by now, those of engine.learnNormals, E_IO_WRITE */
export async function openPatches(
  parts: LearningParts,
  folder: string,
  { input, name, sha256 }: KeptPicture,
  options: LearnNormalsOptions,
): Promise<PatchesOfPicture> {
  const { signal: _, onProgress: __, onNotes: ___, ...choices } = options;
  const facts = bankFacts(parts, [{ name, sha256 }], choices);
  const identity = bankIdentity(facts);
  // Facts do not say all of how a picture was read.
  const content = JSON.stringify([identity, parts.reading]);
  const file = createHash('sha256').update(content).digest('hex').slice(0, k_digits);
  const path = join(folder, `${file}.safetensors`);
  const found = await openKept(parts, path, facts);
  if (found) return { bank: found, path };
  const learned = await learnBank(parts, [{ input, name }], options);
  try {
    if (learned.identity !== identity) throw changed(name);
    await learned.save(path, { overwrite: true });
  } finally {
    learned.remove();
  }
  return { bank: await parts.banks.open(path), path };
}

/**
 * The bank of a file that was kept, perhaps of pictures that had other names then: it has those of now. Undefined where none is
 * there, or it cannot be used: then it is learned anew.
 */
export async function openKept(
  { banks }: Pick<LearningParts, 'banks'>,
  path: string,
  facts: BankFacts,
): Promise<NormalBank | undefined> {
  try {
    await access(path);
    return await banks.open(path, facts);
  } catch {
    return undefined;
  }
}

function changed(name: string): CraneError {
  return new CraneError('E_INPUT_CHANGED', `${name}: changed while it was read`, {
    hint: 'let nobody write to the pictures while they are scored',
  });
}

/** What a run keeps of its state to go on from: a file that is not as it was written is none. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeWhole } from './write-whole.js';

/** @param json text of JSON. @throws CraneError E_IO_WRITE */
export async function writeSealed(path: string, json: string): Promise<void> {
  await writeWhole(path, `{"sha256":"${sealOf(json)}","of":${json}}\n`, { overwrite: true });
}

/**
 * Its JSON, where every byte is as it was written. Files of earlier versions have no seal and are taken as they are: whoever reads
 * looks whether they are what is wanted. Undefined: there is none, it cannot be read, or it was changed.
 */
export async function readSealed(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [, seal, json] = /^\{"sha256":"([0-9a-f]{64})","of":(.*)\}\n$/s.exec(text) ?? [];
  if (json !== undefined && sealOf(json) !== seal) return undefined;
  return json ?? text;
}

function sealOf(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}

/** What a run keeps of its state to go on from: a file that is not as it was written is none. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeWhole } from './write-whole.js';

/** @param json text of JSON. @throws CraneError E_IO_WRITE */
export async function writeSealed(path: string, json: string): Promise<void> {
  await writeWhole(path, `{"sha256":"${sealOf(json)}","of":${json}}\n`, { overwrite: true });
}

/** Undefined: there is none, it cannot be read, or a byte of it was changed. */
export async function readSealed(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [, seal, json] = /^\{"sha256":"([0-9a-f]{64})","of":(.*)\}\n$/s.exec(text) ?? [];
  return json !== undefined && sealOf(json) === seal ? json : undefined;
}

function sealOf(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}

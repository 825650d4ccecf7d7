/** A disk that is full for a while: half of what is appended still fits. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';

/** The next appends of this process fail, so many; `empty` ends it before. folder: where files may be made */
export async function fillDisk(folder: string, appends: number) {
  const opened = await handles(folder);
  const append = opened.appendFile;
  let refused = 0;
  const spy = vi.spyOn(opened, 'appendFile').mockImplementation(async function (
    this: FileHandle,
    data: string | Uint8Array,
  ) {
    if (refused === appends) return append.call(this, data);
    refused++;
    const bytes = Buffer.from(data);
    await this.write(bytes.subarray(0, Math.ceil(bytes.length / 2)));
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  });
  return { refused: () => refused, empty: () => spy.mockRestore() };
}

/** What open files have in common, for spies. */
export async function handles(folder: string): Promise<FileHandle> {
  const path = join(folder, 'probe');
  const probe = await open(path, 'w');
  await probe.close();
  await rm(path);
  return Object.getPrototypeOf(probe) as FileHandle;
}

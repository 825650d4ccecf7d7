import { stat } from 'node:fs/promises';

/** undefined: there is nothing, or it cannot be looked at. Pipes and devices are read like files. */
export async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  const facts = await stat(path).catch(() => undefined);
  return facts?.isDirectory() ? 'folder' : facts ? 'file' : undefined;
}

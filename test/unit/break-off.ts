import { readdir, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a reader may still hold in its own buffers. */
const k_inFlight = 65_536;

/**
 * Sends bytes and breaks the connection once they have reached files below `folder`, so that no test depends on how
 * fast its reader is.
 */
export async function breakOff(response: ServerResponse, bytes: Buffer, folder: string): Promise<void> {
  const before = await bytesBelow(folder);
  response.write(bytes);
  const wanted = before + Math.max(1, bytes.length - k_inFlight);
  // A reader that puts nothing there is not waited for longer.
  for (let tries = 0; tries < 400 && (await bytesBelow(folder)) < wanted; tries++) await sleep(5);
  response.destroy();
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        (facts) => (facts.isFile() ? facts.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

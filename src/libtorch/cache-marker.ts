/** The marker of a complete cache folder. It is written last, so a folder without it was interrupted. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../files/write-whole.js';

export interface CacheMarker {
  version: string;
  /** file name of the wheel or address of the archive it came from */
  source: string;
  headers: boolean;
}

const markerName = 'crane-libtorch.json';

export function readMarker(folder: string): CacheMarker | undefined {
  try {
    const value = JSON.parse(readFileSync(join(folder, markerName), 'utf8')) as Partial<CacheMarker>;
    if (typeof value.version !== 'string' || typeof value.source !== 'string') return undefined;
    return { version: value.version, source: value.source, headers: value.headers === true };
  } catch {
    // absent, unreadable or cut short: all mean "not complete", and the fetch starts over
    return undefined;
  }
}

export function writeMarker(folder: string, marker: CacheMarker): Promise<void> {
  return writeWhole(join(folder, markerName), `${JSON.stringify(marker, null, 2)}\n`, { overwrite: true });
}

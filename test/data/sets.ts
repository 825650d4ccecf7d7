/** Sets in the form of the reference: a folder with meta.json, {"test": {CLASS: [{img_path, anomaly, ...}]}}. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface LabelledPicture {
  path: string;
  isAnomalous: boolean;
}

export interface DataSet {
  name: string;
  root: string;
  pictures: LabelledPicture[];
}

interface MetaEntry {
  img_path: string;
  anomaly: number;
}

/** The folder itself when it is a set, else every set directly below it. */
export function findSets(root: string): DataSet[] {
  if (existsSync(join(root, 'meta.json'))) return [readSet(root)];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'meta.json')))
    .map((entry) => readSet(join(root, entry.name)))
    .sort((a, b) => a.name.localeCompare(b.name));
}

function readSet(folder: string): DataSet {
  const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as {
    test: Record<string, MetaEntry[]>;
  };
  const pictures = Object.values(meta.test).flatMap((entries) =>
    entries.map(({ img_path, anomaly }) => ({ path: join(folder, img_path), isAnomalous: anomaly !== 0 })),
  );
  return { name: basename(folder), root: folder, pictures };
}

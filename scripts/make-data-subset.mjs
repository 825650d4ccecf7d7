// Copies a few small pictures of each set that may be shipped to test/data, with masks, notices and a shorter meta.json.
// Call: node scripts/make-data-subset.mjs SOURCE [TARGET]
// SOURCE holds one folder per set; of each kind of each class the smallest file is kept, of normal pictures the two smallest.
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const sets = ['bsdata', 'coffee_leaf', 'solar_el'];

const [from, to = 'test/data'] = process.argv.slice(2);
if (!from) throw new Error('usage: node scripts/make-data-subset.mjs SOURCE [TARGET]');

for (const set of sets) {
  const source = resolve(from, set);
  const target = resolve(to, set);
  const copy = (path) => {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    copyFileSync(join(source, path), join(target, path));
  };
  rmSync(target, { recursive: true, force: true });
  const meta = JSON.parse(readFileSync(join(source, 'meta.json'), 'utf8'));
  const kept = {};
  for (const [name, entries] of Object.entries(meta.test)) {
    const kinds = new Map();
    for (const entry of entries)
      kinds.set(entry.specie_name, [...(kinds.get(entry.specie_name) ?? []), entry]);
    kept[name] = [...kinds.values()].flatMap((kind) =>
      kind
        .map((entry) => ({ entry, bytes: statSync(join(source, entry.img_path)).size }))
        .sort((a, b) => a.bytes - b.bytes)
        .slice(0, kind[0].anomaly === 0 ? 2 : 1)
        .map(({ entry }) => entry),
    );
    for (const { img_path, mask_path } of kept[name]) {
      copy(img_path);
      if (mask_path) copy(mask_path);
    }
  }
  writeFileSync(join(target, 'meta.json'), `${JSON.stringify({ train: {}, test: kept }, null, 1)}\n`);
  copy('LICENCE.md');
  console.log(`${set}: ${Object.values(kept).flat().length} pictures`);
}

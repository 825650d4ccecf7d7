// Makes a stand-in of every data set of the paper (table 4): its name and classes, a few turned crops of the shipped sample
// pictures each. For trying the commands of docs/paper.md from end to end; figures on them mean nothing.
// Call: node scripts/make-paper-toys.mjs OUT
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { publishedSets } from '../dist/data/layouts/registry.js';

const [out] = process.argv.slice(2);
if (!out) throw new Error('usage: node scripts/make-paper-toys.mjs OUT');

const samples = fileURLToPath(new URL('../models/crane-mini/samples', import.meta.url));
const names = readdirSync(samples);
const normal = names.filter((name) => name.includes('-good-'));
const anomalous = names.filter((name) => name.endsWith('.jpg') && !name.includes('-good-'));
const maskOf = (name) => name.replace(/\.jpg$/, '_mask.png');

const k_side = 160;
let made = 0;

/** The made-th turn and mirror of a picture or of its mask. */
const turned = (file, at, kernel) => {
  const picture = sharp(join(samples, file)).rotate(90 * (at % 4));
  return (at % 8 < 4 ? picture : picture.flop()).resize(k_side, k_side, { fit: 'fill', kernel });
};

for (const set of publishedSets) {
  const root = join(out, set.name);
  // Sets of many classes need no more than one of each kind.
  const each = set.classes.length > 6 ? 1 : 3;
  const entries = {};
  for (const className of set.classes) {
    const folder = join(root, className, 'test');
    entries[className] = [];
    for (const [kind, files, count] of [
      ['good', normal, set.normal > 0 ? each : 0],
      ['defect', anomalous, each],
    ]) {
      for (let at = 0; at < count; at++, made++) {
        const file = files[made % files.length];
        const name = `${String(at).padStart(3, '0')}.png`;
        mkdirSync(join(folder, kind), { recursive: true });
        // A shade of its own: no two pictures of all sets are equal.
        const shade = sharp(await turned(file, made, 'cubic').png().toBuffer()).linear(1 - made / 2000, 0);
        await shade.png().toFile(join(folder, kind, name));
        const hasMask = kind === 'defect' && set.classes.join() !== 'brain';
        if (hasMask) {
          mkdirSync(join(root, className, 'ground_truth'), { recursive: true });
          const mask = await turned(maskOf(file), made, 'nearest').png().toBuffer();
          writeFileSync(join(root, className, 'ground_truth', name), mask);
        }
        entries[className].push({
          img_path: `${className}/test/${kind}/${name}`,
          mask_path: hasMask ? `${className}/ground_truth/${name}` : '',
          cls_name: className,
          specie_name: kind,
          anomaly: kind === 'good' ? 0 : 1,
        });
      }
    }
  }
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'meta.json'), `${JSON.stringify({ train: {}, test: entries }, null, 1)}\n`);
  console.log(`${root}: ${Object.values(entries).flat().length} pictures`);
}

// Copies a subset of a parity fixture folder, in the same format, to test/parity/data (under 7 MB).
// Call: node scripts/make-parity-subset.mjs SOURCE [TARGET]
// Kept: toy cases without a spatial source or with DINOv2, their weights, the text stages, the training of Crane, the
// tokenizer's and the metrics' cases, one prompt file, four pictures and two masks. Left out are large files that the recipe rebuilds or other tests read.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const limitBytes = 7e6;
const pictures = ['src_gray16.png', 'src_palette_alpha.png', 'src_rgba.png', 'src_odd.jpg'];
const masks = ['mask_rgb_dark.png', 'mask_small_levels.png'];
const sources = ['none', 'dinov2', 'dinov2_noreg'];

const [from, to = 'test/parity/data'] = process.argv.slice(2);
if (!from) throw new Error('usage: node scripts/make-parity-subset.mjs SOURCE [TARGET]');
const source = resolve(from);
const target = resolve(to);
let total = 0;

function copy(path) {
  if (!existsSync(join(source, path))) return;
  mkdirSync(dirname(join(target, path)), { recursive: true });
  copyFileSync(join(source, path), join(target, path));
  total += statSync(join(target, path)).size;
}

function write(path, value) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), `${JSON.stringify(value)}\n`);
  total += statSync(join(target, path)).size;
}

const read = (path) => JSON.parse(readFileSync(join(source, path), 'utf8'));

rmSync(target, { recursive: true, force: true });

// toy: cases of the kept sources, all rows of the recipe that they need
const cases = read('toy/cases.json');
const kept = Object.fromEntries(Object.entries(cases).filter(([, { vfm }]) => sources.includes(vfm)));
write('toy/cases.json', kept);
for (const name of Object.keys(kept)) copy(`toy/cases/${name}.safetensors`);
const recipe = read('toy/recipe.json');
for (const set of Object.values(recipe)) for (const name of ['dino', 'sam']) delete set[name];
write('toy/recipe.json', recipe);
for (const path of ['inputs', 'text_stages', 'dinov2', 'dinov2_noreg']) copy(`toy/${path}.safetensors`);
for (const path of ['prompts_toy.pth', 'prompts_archive.pth']) copy(`toy/${path}`);
for (const path of ['exact.safetensors', 'with_half.safetensors', 'with_half_epoch_1.pth'])
  copy(`toy/train_crane/${path}`);

// one prompt file of the authors, with its row of the index
const index = read('prompts/index.json');
const prompt = readdirSync(join(source, 'prompts'))
  .filter((file) => file.endsWith('.pth'))
  .sort()[0];
if (prompt) {
  copy(`prompts/${prompt}`);
  write('prompts/index.json', { [prompt]: index[prompt] });
}

// pictures: each way of decoding that differs; masks: a dark colour mask and grey levels
const preprocess = read('preprocess/cases.json');
preprocess.images = preprocess.images.filter(({ file }) => pictures.includes(file));
preprocess.masks = preprocess.masks.filter(({ file }) => masks.includes(file));
write('preprocess/cases.json', preprocess);
for (const { file, expected, decoded } of [...preprocess.images, ...preprocess.masks]) {
  for (const path of [file, expected, decoded]) if (path) copy(`preprocess/${path}`);
}

copy('tokenizer/cases.json');
for (const path of ['cases.safetensors', 'expected.json']) copy(`metrics/${path}`);

console.log(`${target}: ${(total / 1e6).toFixed(2)} MB`);
if (total > limitBytes) throw new Error(`over the limit of ${limitBytes / 1e6} MB`);

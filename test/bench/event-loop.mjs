// How long the JavaScript thread is held at a stretch by each thing that pixels, masks and maps go through:
// node test/bench/event-loop.mjs [--megapixels 12] [--heic FILE] [--only WORDS] [--delay] (after npm run build:ts and the addon). Of each: the most
// processor time of the thread in one turn of its loop, without the garbage collections within it, which large arrays bring about and
// nobody computes; the same with them; the longest collection; with --delay, in a run of its own, the longest delay of a timer of 1 ms, which on a busy machine is the
// machine's (see the idle row).
// Nothing here writes HEIC: --heic names a picture of as many pixels, otherwise the small one of the tests is read.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { labelMask, maskOfPicture } from '../../dist/data/label-mask.js';
import { mosaicOfPictures } from '../../dist/data/mosaic.js';
import { readNpy } from '../../dist/files/npy.js';
import { loadEngine } from '../../dist/index.js';
import { createEvaluator } from '../../dist/metrics/index.js';
import { npyOf, writeFormats } from './loop-files.mjs';
import { delayOf, turnsOf } from './loop-turns.mjs';

const { values } = parseArgs({
  options: {
    megapixels: { type: 'string', default: '12' },
    heic: { type: 'string', default: join(import.meta.dirname, '../unit/images/pictures/blocks.heic') },
    only: { type: 'string', default: '' },
    delay: { type: 'boolean', default: false },
  },
});
const height = Math.round(Math.sqrt((Number(values.megapixels) * 1e6 * 3) / 4));
const width = Math.round((height * 4) / 3);
const folder = await mkdtemp(join(tmpdir(), 'crane-loop-'));

const rgb = new Uint8Array(width * height * 3);
// Grain on a gradient: as a camera's picture compresses.
for (let at = 0; at < rgb.length; at++)
  rgb[at] = (at % (3 * width)) / (width / 64) + ((at * 2654435761) >>> 29) + 20;
const raw = { raw: { width, height, channels: 3 } };
const masks = [join(folder, 'a.png'), join(folder, 'b.png')];
for (const mask of masks) await sharp(rgb, raw).png({ compressionLevel: 1 }).toFile(mask);
const picture = join(folder, 'picture.jpg');
await sharp(rgb, raw).jpeg().toFile(picture);

const files = await writeFormats(folder, rgb, width, height);

const { addon } = await loadAddon();
const engine = await loadEngine({ threads: 1 });
const { width: side } = engine.facts.input;
const tensor = new Float32Array(16 * 3 * side * side);
const wide = Uint16Array.from(rgb, (value) => value * 16);
const frame = { data: rgb, width, height, mode: 'RGB' };
const grey = { data: rgb.subarray(0, width * height), width, height, mode: 'L' };
const large = new Float32Array(width * height).fill(0.25);
const npy = join(folder, 'map.npy');
await writeFile(npy, npyOf(large, width, height));
const map = new Float32Array(side * side).fill(0.5);

const cases = {
  'nothing, for comparison': () => new Promise((resolve) => setTimeout(resolve, 1000)),
  'the decoder library alone': () => sharp(picture).raw().toBuffer(),
  'score a file': () => engine.score(picture),
  ...Object.fromEntries(
    Object.entries(files).map(([kind, path]) => [`score ${kind}`, () => engine.score(path)]),
  ),
  'score HEIC': () => engine.score(values.heic),
  'score pixels': () => engine.score({ data: rgb, width, height, channels: 3 }),
  'score pixels of 12 bits': () => engine.score({ data: wide, width, height, channels: 3, bits: 12 }),
  'score a sensor of 12 bits': () =>
    engine.score({
      data: wide.subarray(0, width * height),
      width,
      height,
      channels: 1,
      bits: 12,
      bayer: 'rggb',
    }),
  'score with regions and map': () => engine.score(picture, { map: true, regions: true, mapThreshold: 0.4 }),
  'score with the map as large': () => engine.score(picture, { map: true, mapSize: 'picture' }),
  'score with its heat map': () => engine.score(picture, { heatmap: true }),
  'four scored by scoreMany, all of it': async () => {
    const options = { map: true, mapSize: 'picture', regions: true, mapThreshold: 0.4, heatmap: true };
    for await (const _ of engine.scoreMany([picture, picture, picture, picture], options));
  },
  'scorePreprocessed, 16 pictures': () =>
    engine.scorePreprocessed(tensor, { batch: 16, size: side, map: true }),
  'a mask in colour': () => labelMask(masks[0], { pixels: addon }),
  'two masks united': () => maskOfPicture({ masks }, { path: masks[0], width, height }, { pixels: addon }),
  'a mask of true and false': () => labelMask(files['a TIFF of 1 bit'], { pixels: addon }),
  'a mask of 16 bits': () => labelMask(files['a PNG of 16 bits, grey'], { pixels: addon }),
  'a mask by its values': () =>
    labelMask(files['a PNG of 16 bits, grey'], { pixels: addon }, [{ text: '257', number: 257 }]),
  'a mask in colour, without an engine': () => labelMask(masks[0]),
  'a map read': () => readNpy(npy),
  'metrics of a map and mask of the model': () => measured(side, side),
  'metrics of a map and mask as large': () => measured(width, height),
  'a mosaic of masks': () => addon.mosaicOfMasks([grey, grey, grey, grey], width, height),
  'a mosaic': () => mosaicOfPictures([frame, frame, frame, frame], addon),
  'resizePicture to half': () => addon.resizePicture(frame, width >> 1, height >> 1),
  'resizeMap to the picture': () => addon.resizeMap(map, side, side, width, height),
  'overlay of a heat map': () => addon.overlay(frame, map, side, side, 0, 1),
  'heatMap of a file': async () => engine.heatMap(picture, (await engine.score(picture, { map: true })).map),
};
async function measured(across, down) {
  const evaluator = await createEvaluator({}, addon);
  const pixels = across * down;
  const picture = { className: 'a', map: { data: large.subarray(0, pixels), width: across, height: down } };
  await evaluator.add({
    ...picture,
    score: 0.5,
    label: 1,
    mask: { data: rgb.subarray(0, pixels), width: across, height: down },
  });
  await evaluator.add({ ...picture, score: 0.1, label: 0 });
  await evaluator.finish();
}

const shown = (value, digits = 2) => value?.toFixed(digits) ?? '-';
console.log(`pictures of ${width} x ${height}; longest hold of the JavaScript thread, median of three runs`);
console.log(
  `${''.padEnd(36)}own turn, ms   above 1 ms   whole turn, ms   above 1 ms   collection, ms   delay of a timer, ms`,
);
for (const [name, run] of Object.entries(cases).filter(([name]) => name.includes(values.only))) {
  // Compiled code and memory as they are in the middle of a run.
  await run();
  // A machine's own pauses fall into one of them or another.
  const runs = [];
  for (let at = 0; at < 3; at++) runs.push(await turnsOf(run));
  const middle = (name) => (runs[0] ? runs.map((turns) => turns[name]).sort((a, b) => a - b)[1] : undefined);
  const delay = values.delay ? shown(await delayOf(run)) : '-';

  const cells = [
    shown(middle('own')).padStart(12),
    shown(middle('ownLong'), 0).padStart(13),
    shown(middle('longest')).padStart(17),
    shown(middle('long'), 0).padStart(13),
    shown(middle('collection')).padStart(17),
    delay.padStart(23),
  ];
  console.log(`${name.padEnd(36)}${cells.join('')}`);
}
await engine.dispose();
await rm(folder, { recursive: true, force: true });

// How long the JavaScript thread is held at a stretch by each thing that pixels, masks and maps go through:
// node test/bench/event-loop.mjs [--megapixels 12] [--heic FILE] (after npm run build:ts and the addon). Three figures each: the most
// processor time of the thread in one turn of its loop; the longest garbage collection within it, which large arrays bring
// about and nobody computes; the longest delay of a timer of 1 ms, which on a busy machine is the machine's (see the idle row).
// Nothing here writes HEIC: --heic names a picture of as many pixels, otherwise the small one of the tests is read.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { labelMask, maskOfPicture } from '../../dist/data/label-mask.js';
import { mosaicOfPictures } from '../../dist/data/mosaic.js';
import { loadEngine } from '../../dist/index.js';
import { delayOf, turnsOf } from './loop-turns.mjs';

const { values } = parseArgs({
  options: {
    megapixels: { type: 'string', default: '12' },
    heic: { type: 'string', default: join(import.meta.dirname, '../unit/images/pictures/blocks.heic') },
  },
});
const height = Math.round(Math.sqrt((Number(values.megapixels) * 1e6 * 3) / 4));
const width = Math.round((height * 4) / 3);
const folder = await mkdtemp(join(tmpdir(), 'crane-loop-'));

const rgb = new Uint8Array(width * height * 3);
for (let at = 0; at < rgb.length; at++) rgb[at] = (at * 2654435761) >>> 24;
const raw = { raw: { width, height, channels: 3 } };
const masks = [join(folder, 'a.png'), join(folder, 'b.png')];
for (const mask of masks) await sharp(rgb, raw).png({ compressionLevel: 1 }).toFile(mask);
const picture = join(folder, 'picture.jpg');
await sharp(rgb, raw).jpeg().toFile(picture);

const deep = join(folder, 'deep.png');
await sharp(
  Uint16Array.from(rgb.subarray(0, width * height), (value) => value * 257),
  {
    raw: { width, height, channels: 1 },
  },
)
  .toColourspace('grey16')
  .png({ compressionLevel: 1 })
  .toFile(deep);

const { addon } = await loadAddon();
const engine = await loadEngine({ threads: 1 });
const { width: side } = engine.facts.input;
const tensor = new Float32Array(16 * 3 * side * side);
const frame = { data: rgb, width, height, mode: 'RGB' };
const grey = { data: rgb.subarray(0, width * height), width, height, mode: 'L' };
const map = new Float32Array(side * side).fill(0.5);

const cases = {
  'nothing, for comparison': () => new Promise((resolve) => setTimeout(resolve, 1000)),
  'score a file': () => engine.score(picture),
  'score a file of 16 bits': () => engine.score(deep),
  'score a HEIC file': () => engine.score(values.heic),
  'score pixels': () => engine.score({ data: rgb, width, height, channels: 3 }),
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
  'a mosaic of masks': () => addon.mosaicOfMasks([grey, grey, grey, grey], width, height),
  'a mosaic': () => mosaicOfPictures([frame, frame, frame, frame], addon),
  'resizePicture to half': () => addon.resizePicture(frame, width >> 1, height >> 1),
  'resizeMap to the picture': () => addon.resizeMap(map, side, side, width, height),
  'overlay of a heat map': () => addon.overlay(frame, map, side, side, 0, 1),
  'heatMap of a file': async () => engine.heatMap(picture, (await engine.score(picture, { map: true })).map),
};
console.log(`pictures of ${width} x ${height}; longest hold of the JavaScript thread`);
console.log(
  `${''.padEnd(36)}turn, ms of processor   turns above 1 ms   collection, ms   delay of a timer, ms`,
);
for (const [name, run] of Object.entries(cases)) {
  // Compiled code and memory as they are in the middle of a run.
  await run();
  const turns = await turnsOf(run);
  const delay = await delayOf(run);
  const ms = (value) => value.toFixed(2);
  const cells = [
    (turns ? ms(turns.longest) : '-').padStart(21),
    String(turns?.long ?? '-').padStart(19),
    (turns ? ms(turns.collection) : '-').padStart(17),
    ms(delay).padStart(23),
  ];
  console.log(`${name.padEnd(36)}${cells.join('')}`);
}
await engine.dispose();
await rm(folder, { recursive: true, force: true });

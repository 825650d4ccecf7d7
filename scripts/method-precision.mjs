// How far scores and maps of the compared systems are from float32 in another precision, in shares of what their scores and maps may be.
//   node scripts/method-precision.mjs [PICTURE...] [--methods anovl,vand] [--precision bfloat16] [--model FOLDER] [--size SIDE]
// Without --model at full size with random weights, those of `bench --synthetic` (made once in the cache folder): what such weights say of
// a picture means nothing, and so do figures of them. With --model a model whose sets are of the methods (docs/methods.md). Default pictures:
// two of the shipped samples.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAddon } from '../dist/addon/load-addon.js';
import { syntheticFor, syntheticLearned, syntheticModel } from '../dist/bench/synthetic.js';
import { loadEngine } from '../dist/index.js';
import { findMethod, rangesOf } from '../dist/methods/registry.js';

const samples = fileURLToPath(new URL('../models/crane-mini/samples', import.meta.url));
const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    methods: { type: 'string', default: 'winclip,anovl,vand,anomalyclip,adaclip' },
    precision: { type: 'string', default: 'bfloat16' },
    model: { type: 'string' },
    size: { type: 'string' },
    features: { type: 'string' },
    eAttnLayers: { type: 'string' },
  },
});
const pictures =
  positionals.length > 0
    ? positionals
    : ['bsdata-pitting-p00.jpg', 'bsdata-good-g00.jpg'].map((name) => join(samples, name));

console.log(
  `${given.precision} against float32, ${pictures.length} pictures; in % of the range of the method's scores and maps`,
);
console.log('| method | score: largest, median | map: largest, median, 99th percentile |\n|---|---|---|');
for (const name of given.methods.split(',')) {
  const exact = await scoresOf(name, 'float32');
  const other = await scoresOf(name, given.precision);
  const scores = exact.results.map(({ score }, i) =>
    share(Math.abs(score - other.results[i].score), exact.ranges.score),
  );
  const maps = exact.results.flatMap(({ map }, i) => {
    const beside = other.results[i].map.data;
    return [...map.data].map((value, at) => share(Math.abs(value - beside[at]), exact.ranges.map));
  });
  console.log(
    `| ${name} | ${at(scores, 1)}, ${at(scores, 0.5)} | ${at(maps, 1)}, ${at(maps, 0.5)}, ${at(maps, 0.99)} |`,
  );
}

async function scoresOf(name, precision) {
  const { namesClass, settings } = findMethod(name);
  const has = (setting) => given[setting] !== undefined && Object.hasOwn(settings, setting);
  const engine = await loadEngine({
    ...(await weightsOf(name)),
    method: name,
    precision,
    ...(namesClass ? { className: 'metal part' } : {}),
    ...(given.size === undefined ? {} : { size: { width: Number(given.size), height: Number(given.size) } }),
    ...(has('features') ? { features: given.features.split(',').map(Number) } : {}),
    ...(has('eAttnLayers') ? { eAttnLayers: Number(given.eAttnLayers) } : {}),
  });
  try {
    const results = [];
    for (const picture of pictures) results.push(await engine.score(picture, { map: true }));
    const { method } = engine.settings();
    return { results, ranges: rangesOf({ method, normals: undefined }) };
  } finally {
    await engine.dispose();
  }
}

async function weightsOf(name) {
  if (given.model !== undefined) return { model: given.model };
  const { addon } = await loadAddon();
  const how = {
    env: process.env,
    loadAddon: async () => addon,
    stop: new AbortController().signal,
    log: console.error,
  };
  const prompts = await syntheticLearned(name, how);
  const { folder } = await syntheticModel(syntheticFor(name), how);
  return { model: folder, ...(prompts === undefined ? {} : { prompts }) };
}

function share(difference, [low, high]) {
  return (100 * difference) / (high - low);
}

/** The value that this share of them is at most. */
function at(values, portion) {
  const sorted = Float64Array.from(values).sort();
  return Number(sorted[Math.ceil(portion * sorted.length) - 1].toPrecision(3));
}

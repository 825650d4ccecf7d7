// What another precision changes for a model: every figure of every data set in both, the paired bootstrap interval of each change, how
// far scores move and whether pictures keep their order.
//   node scripts/compare-precision.mjs DATA... [--model crane-mini] [--precision bfloat16] [--threads 0]
//        [--prompts SET] [--draws 200] [--seed 0] [--write MODEL_JSON]
// Prints tables in Markdown and the entry of model.json that lets `--precision auto` choose this precision. --write puts it there, but
// only where the rule holds (src/models/precision-rule.ts), and with thresholds made anew where the model has some: they come from
// `calibrate` on the same data.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadAddon } from '../dist/addon/load-addon.js';
import { maskOfPicture } from '../dist/data/label-mask.js';
import { changeIntervals, kendallTau } from '../dist/evaluate/precision-effect.js';
import { evaluateDataSets, loadEngine, mapOf, openDataSet } from '../dist/index.js';
import { objectionsTo, precisionRule } from '../dist/models/precision-rule.js';

const names = ['image AUROC', 'AP', 'F1max', 'pixel AUROC', 'AP', 'F1max', 'AUPRO'];
const k_imageFigures = 3;
const k_limit = 0.3;

const { values: given, positionals: data } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'crane-mini' },
    precision: { type: 'string', default: 'bfloat16' },
    prompts: { type: 'string' },
    threads: { type: 'string', default: '0' },
    draws: { type: 'string', default: String(precisionRule.draws) },
    seed: { type: 'string', default: '0' },
    write: { type: 'string' },
  },
});
if (data.length === 0) throw new Error('name at least one data set');
const { addon } = await loadAddon();
const drawing = { draws: Number(given.draws), seed: Number(given.seed), level: precisionRule.level };
const scratch = mkdtempSync(join(tmpdir(), 'crane-precision-'));
try {
  await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function main() {
  const exact = await evaluateIn('float32');
  const other = await evaluateIn(given.precision);
  const ends = { image: [], pixel: [] };
  const taus = [];
  const moves = [];
  console.log(
    `${given.model}, ${exact.kernels} against ${other.kernels}; figures in %: float32, change [interval of ${drawing.draws} draws]\n`,
  );
  console.log(`| set | ${names.join(' | ')} | Kendall's tau |\n|---|${names.map(() => '---|').join('')}---|`);
  for (const [at, path] of data.entries()) {
    const pairs = await paired(exact, other, at, path);
    const all = [new Uint32Array(pairs.length).fill(1)];
    const [before] = await figuresOfDraws(
      pairs.map((one) => one.before),
      all,
    );
    const [after] = await figuresOfDraws(
      pairs.map((one) => one.after),
      all,
    );
    const intervals = await changeIntervals(pairs, figuresOfDraws, drawing);
    const cells = before.map((value, i) => {
      const interval = intervals[i];
      if (value === null || after[i] === null || interval === null) return 'n/a';
      ends[i < k_imageFigures ? 'image' : 'pixel'].push(100 * interval.low, 100 * interval.high);
      return `${(100 * value).toFixed(2)}, ${points(after[i] - value)} [${points(interval.low)}, ${points(interval.high)}]`;
    });
    const scores = (side) => pairs.map((one) => one[side].score);
    taus.push(kendallTau(scores('before'), scores('after')));
    moves.push(...pairs.map((one) => Math.abs(one.after.score - one.before.score)));
    console.log(`| ${exact.run.dataSets[at].name} | ${cells.join(' | ')} | ${taus.at(-1).toFixed(4)} |`);
  }
  moves.sort((a, b) => a - b);
  const entry = {
    dataSets: data.map((path) => basename(path)),
    pictures: moves.length,
    draws: drawing.draws,
    imagePoints: extremes(ends.image),
    pixelPoints: extremes(ends.pixel),
    kendallTau: Math.floor(1e4 * Math.min(...taus)) / 1e4,
    scoreDifference: {
      median: rounded(share(moves, 0.5)),
      p95: rounded(share(moves, 0.95)),
      max: rounded(moves.at(-1)),
    },
  };
  const objections = objectionsTo(entry);
  console.log(
    `\n${moves.length} pictures. ${objections.length === 0 ? 'Harmless by the rule.' : `Not harmless: ${objections.join('; ')}.`}`,
  );
  console.log(`\n"precisions": ${JSON.stringify({ [given.precision]: entry })}`);
  if (given.write) write(entry, objections, other.label);
}

function write(entry, objections, label) {
  if (objections.length > 0) throw new Error(`nothing was written: ${objections.join('; ')}`);
  const model = JSON.parse(readFileSync(given.write, 'utf8'));
  const hasOwn = (model.calibrations ?? []).some(({ settings }) => settings === label);
  if ((model.threshold !== null || model.mapThreshold !== null) && !hasOwn) {
    throw new Error(
      `nothing was written: the thresholds of ${given.write} hold for float32; make them anew first: crane-native calibrate ${data.join(' ')} --model ${given.model} --precision ${given.precision}`,
    );
  }
  model.precisions = { ...model.precisions, [given.precision]: entry };
  writeFileSync(given.write, `${JSON.stringify(model, null, 2)}\n`);
}

async function evaluateIn(precision) {
  const engine = await loadEngine({ model: given.model, precision, threads: Number(given.threads) });
  try {
    const out = join(scratch, precision);
    const run = await evaluateDataSets({
      engine,
      data,
      out,
      keepMaps: true,
      report: false,
      bootstrap: 0,
      ...(given.prompts ? { prompts: given.prompts } : {}),
    });
    return { run, out, kernels: engine.facts.kernels, label: engine.facts.model };
  } finally {
    await engine.dispose();
  }
}

/** Pictures of a set in both precisions as the metrics take them. A picture without a score in either is an error: nothing is left out. */
async function paired(exact, other, at, path) {
  const { items } = await openDataSet(path);
  const engine = await loadEngine({ model: given.model });
  const pictures = ({ run }) => run.dataSets[at].classes.flatMap(({ pictures: list }) => list);
  const after = new Map(pictures(other).map((one) => [one.path, one]));
  const pairs = [];
  try {
    for (const one of pictures(exact)) {
      const twin = after.get(one.path);
      if (!('score' in one) || !twin || !('score' in twin))
        throw new Error(`${one.path} has no score in both precisions`);
      const item = items.find(({ imagePath }) => imagePath === one.path);
      const map = await mapOf(exact.out, one);
      const size = { path: item.image, width: one.width, height: one.height };
      const grey =
        item.isAnomalous && item.masks.length > 0
          ? await maskOfPicture(item, size, {
              exif: true,
              maskGrey: false,
              onNote: () => {},
              pixels: engine.addon,
            })
          : null;
      const mask = grey && {
        data: await engine.addon.resizeMask(grey, map.width, map.height),
        width: map.width,
        height: map.height,
      };
      const shared = { name: one.path, className: one.className, label: one.isAnomalous, mask };
      pairs.push({
        className: one.className,
        before: { ...shared, score: one.score, map },
        after: { ...shared, score: twin.score, map: await mapOf(other.out, twin) },
      });
    }
  } finally {
    await engine.dispose();
  }
  return pairs;
}

/** Of each draw the means over the classes, or those of the only class. */
async function figuresOfDraws(pictures, draws) {
  const classes = [...new Set(pictures.map(({ className }) => className))];
  const tables = [];
  for (const name of classes) {
    const own = pictures.map((_, at) => at).filter((at) => pictures[at].className === name);
    const times = draws.map((draw) => Uint32Array.from(own, (at) => draw[at]));
    const measured = own.map((at) => asMeasured(pictures[at]));
    tables.push(await addon.figuresOfDraws(measured, times, k_limit, Number(given.threads)));
  }
  return draws.map((_, draw) =>
    names.map((_, figure) => {
      const known = tables
        .map((table) => table[draw * names.length + figure])
        .filter((value) => !Number.isNaN(value));
      return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
    }),
  );
}

function asMeasured({ name, label, score, map, mask }) {
  const { data, width, height } = map;
  return { name, label, score, map: data, width, height, ...(mask ? { mask: mask.data } : {}) };
}

function points(change) {
  return `${change < 0 ? '-' : '+'}${Math.abs(100 * change).toFixed(3)}`;
}

/** Outwards, so that no rounding makes an interval narrower. */
function extremes(ends) {
  return [Math.floor(1e3 * Math.min(...ends)) / 1e3, Math.ceil(1e3 * Math.max(...ends)) / 1e3];
}

function share(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}

function rounded(value) {
  return Number(value.toPrecision(2));
}

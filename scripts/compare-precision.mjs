// What bfloat16 changes for a model: every figure of every data set in both precisions, and how far scores move.
//   node scripts/compare-precision.mjs DATA... [--model crane-mini] [--precision bfloat16] [--threads 0]
//        [--prompts SET] [--write MODEL_JSON]
// Prints tables in Markdown and the entry of model.json that lets `--precision auto` choose this precision. --write puts
// it there, but only where no figure moved by more than 0.1 point of 100: that is what "harmless" means here.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateDataSets, loadEngine } from '../dist/index.js';

const k_harmlessPoints = 0.1;

const { values: given, positionals: data } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'crane-mini' },
    precision: { type: 'string', default: 'bfloat16' },
    prompts: { type: 'string' },
    threads: { type: 'string', default: '0' },
    write: { type: 'string' },
  },
});
if (data.length === 0) throw new Error('name at least one data set');

const exact = await evaluateIn('float32');
const other = await evaluateIn(given.precision);

console.log(`${given.model}, ${exact.kernels} against ${other.kernels}; figures in %\n`);
console.log(
  '| set | image AUROC | AP | F1max | pixel AUROC | AP | F1max | AUPRO | pairs turned |\n|---|---|---|---|---|---|---|---|---|',
);
const moved = [];
for (const [at, set] of exact.run.dataSets.entries()) {
  const before = figuresOf(set);
  const after = figuresOf(other.run.dataSets[at]);
  const cells = before.map((value, i) => {
    if (value === null || after[i] === null) return value === after[i] ? 'n/a' : 'n/a in one';
    moved.push(100 * Math.abs(after[i] - value));
    const change = 100 * (after[i] - value);
    return `${(100 * value).toFixed(2)} ${change < 0 ? '-' : '+'}${Math.abs(change).toFixed(3)}`;
  });
  console.log(`| ${set.name} | ${cells.join(' | ')} | ${turnedPairs(set, other.run.dataSets[at])} |`);
}
const worstPoints = Math.max(...moved);

const changes = scoresOf(exact.run)
  .map((score, at) => Math.abs(score - scoresOf(other.run)[at]))
  .sort((a, b) => a - b);
const scoreDifference = {
  median: share(changes, 0.5),
  p95: share(changes, 0.95),
  max: changes.at(-1),
};
console.log(`\n${changes.length} pictures; scores move by ${JSON.stringify(scoreDifference)}`);
console.log(
  `largest change of a figure: ${worstPoints.toFixed(3)} points; harmless: ${worstPoints <= k_harmlessPoints}`,
);

const entry = {
  dataSets: data.map((path) => basename(path)),
  pictures: changes.length,
  worstPoints: rounded(worstPoints),
  scoreDifference: Object.fromEntries(
    Object.entries(scoreDifference).map(([name, value]) => [name, rounded(value)]),
  ),
};
console.log(`\n"precisions": ${JSON.stringify({ [given.precision]: entry })}`);
if (given.write) {
  if (worstPoints > k_harmlessPoints)
    throw new Error(`${worstPoints} points are more than ${k_harmlessPoints}`);
  const model = JSON.parse(readFileSync(given.write, 'utf8'));
  model.precisions = { ...model.precisions, [given.precision]: entry };
  writeFileSync(given.write, `${JSON.stringify(model, null, 2)}\n`);
}

async function evaluateIn(precision) {
  const engine = await loadEngine({ model: given.model, precision, threads: Number(given.threads) });
  try {
    const run = await evaluateDataSets({
      engine,
      data,
      bootstrap: 0,
      ...(given.prompts ? { prompts: given.prompts } : {}),
    });
    return { run, kernels: engine.facts.kernels };
  } finally {
    await engine.dispose();
  }
}

/** Means over the classes, or those of the only class. */
function figuresOf({ classes }) {
  const mean = (figure) => {
    const known = classes.map(({ metrics }) => figure(metrics)).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  return [
    mean(({ image }) => image.auroc.value),
    mean(({ image }) => image.ap.value),
    mean(({ image }) => image.f1Max.value),
    mean(({ pixel }) => pixel.auroc.value),
    mean(({ pixel }) => pixel.ap.value),
    mean(({ pixel }) => pixel.f1Max.value),
    mean(({ pixel }) => pixel.aupro[0]?.exact.value ?? null),
  ];
}

/** Of all pairs of a normal and an anomalous picture of a class, those whose scores stand the other way round. */
function turnedPairs(before, after) {
  let turned = 0;
  let all = 0;
  for (const [at, { pictures }] of before.classes.entries()) {
    const others = after.classes[at].pictures;
    for (const [i, normal] of pictures.entries()) {
      if (normal.isAnomalous || !('score' in normal)) continue;
      for (const [j, anomalous] of pictures.entries()) {
        if (!anomalous.isAnomalous || !('score' in anomalous)) continue;
        all++;
        const was = Math.sign(anomalous.score - normal.score);
        if (was !== Math.sign(others[j].score - others[i].score)) turned++;
      }
    }
  }
  return `${turned} of ${all}`;
}

function scoresOf({ dataSets }) {
  return dataSets.flatMap(({ classes }) =>
    classes.flatMap(({ pictures }) => pictures.filter((one) => 'score' in one).map((one) => one.score)),
  );
}

function share(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}

function rounded(value) {
  return Number(value.toPrecision(2));
}

// Times the metrics on a synthetic set of MVTec AD's size, and against the Python tools on a part of it:
//   node test/bench/metrics.mjs [--python PATH] [--maps 40] [--runs 3] [--python-runs 1] [--folder FOLDER] [--scale 1] [--json]
// Needs 2.4 GB of disk in FOLDER (default: the temporary folder), freed at the end. --scale 0.1 makes a tenth of it.
// --python: an interpreter that has torchmetrics, scikit-learn and scikit-image:
//   python3 -m venv bench && bench/bin/pip install torch torchmetrics scikit-learn scikit-image
// Nothing here is a test: figures depend on the machine and on what else runs on it.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

// Test pictures per class of MVTec AD.
const picturesPerClass = {
  bottle: 83,
  cable: 150,
  capsule: 132,
  carpet: 117,
  grid: 78,
  hazelnut: 110,
  leather: 124,
  metal_nut: 115,
  pill: 167,
  screw: 160,
  tile: 117,
  toothbrush: 42,
  transistor: 100,
  wood: 79,
  zipper: 151,
};
const side = 518;
const patch = 14;
const pixels = side * side;
const grid = side / patch;
const normalShare = 0.27; // of the pictures, about that of MVTec AD
const limits = [0.05, 0.3];

const { values: args } = parseArgs({
  options: {
    python: { type: 'string' },
    maps: { type: 'string', default: '40' },
    runs: { type: 'string', default: '3' },
    'python-runs': { type: 'string', default: '1' },
    folder: { type: 'string', default: tmpdir() },
    scale: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    evaluate: { type: 'string' }, // the child's task
  },
});

const say = (line) => (args.json ? console.error(line) : console.log(line));

/** Evaluates the sets of a plan in this process, `runs` times; prints JSON. */
async function evaluatePlan({ classes, runs }) {
  const { evaluateMapped } = await import('../../dist/metrics/index.js');
  let anonymousPeak = 0;
  const sample = () => {
    const kb = /^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    anonymousPeak = Math.max(anonymousPeak, Number(kb ?? 0) * 1024);
  };
  await evaluateMapped({ classes: [{ ...classes[0], count: 1, scores: undefined, labels: undefined }] }); // loads the engine
  const sampler = setInterval(sample, 5);
  const seconds = [];
  const cpuSeconds = [];
  let evaluation;
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    evaluation = await evaluateMapped({ classes, limits });
    seconds.push((performance.now() - startedAt) / 1000);
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuSeconds.push((user + system) / 1e6);
  }
  clearInterval(sampler);
  sample();
  const status = readFileSync('/proc/self/status', 'utf8');
  const peak = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
  console.log(JSON.stringify({ seconds, cpuSeconds, anonymousPeak, peak, evaluation }));
}

/** Numbers in [0, 1) that are the same in every run (xorshift32). */
function generator(seed) {
  let state = seed * 2654435761 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A patch grid of random scores, raised where the mask is, enlarged bilinearly, with fine noise: distinct values abound. */
function fillPicture(random, isAnomalous, map, mask) {
  const coarse = new Float32Array((grid + 1) ** 2);
  const level = 0.15 + 0.1 * random();
  for (let i = 0; i < coarse.length; i++) coarse[i] = level + 0.25 * random() ** 3;
  mask.fill(0);
  const regions = isAnomalous ? 1 + Math.floor(3 * random()) : 0;
  for (let r = 0; r < regions; r++) {
    const [cx, cy] = [random() * side, random() * side];
    const [rx, ry] = [10 + 60 * random(), 10 + 60 * random()];
    for (let y = Math.max(0, Math.ceil(cy - ry)); y < Math.min(side, cy + ry); y++) {
      const half = rx * Math.sqrt(1 - ((y - cy) / ry) ** 2);
      mask.fill(
        1,
        y * side + Math.max(0, Math.ceil(cx - half)),
        y * side + Math.max(0, Math.min(side, Math.ceil(cx + half))),
      );
    }
    for (let gy = 0; gy <= grid; gy++) {
      for (let gx = 0; gx <= grid; gx++) {
        const distance = ((gx * patch - cx) / rx) ** 2 + ((gy * patch - cy) / ry) ** 2;
        if (distance < 1.5) coarse[gy * (grid + 1) + gx] += 0.35 * random();
      }
    }
  }
  for (let y = 0; y < side; y++) {
    const gy = Math.floor(y / patch);
    const fy = (y % patch) / patch;
    for (let x = 0; x < side; x++) {
      const at = gy * (grid + 1) + Math.floor(x / patch);
      const fx = (x % patch) / patch;
      const top = coarse[at] + fx * (coarse[at + 1] - coarse[at]);
      const bottom = coarse[at + grid + 1] + fx * (coarse[at + grid + 2] - coarse[at + grid + 1]);
      map[y * side + x] = top + fy * (bottom - top) + 1e-3 * random();
    }
  }
}

function writeAll(file, bytes) {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
}

/** Writes all maps into one file and all masks into another; returns the classes as evaluateMapped takes them. */
function synthesise(folder, scale) {
  const paths = { maps: join(folder, 'maps.f32'), masks: join(folder, 'masks.u8') };
  const files = { maps: openSync(paths.maps, 'w'), masks: openSync(paths.masks, 'w') };
  const map = new Float32Array(pixels);
  const mask = new Uint8Array(pixels);
  const bits = new Uint32Array(map.buffer);
  const seen = new Uint8Array(2 ** 27); // one bit for each float in [0, 1]
  const classes = [];
  let pictures = 0;
  for (const [className, whole] of Object.entries(picturesPerClass)) {
    const count = Math.max(2, Math.round(whole * scale));
    const random = generator(classes.length + 1);
    const set = { className, count, height: side, width: side, scores: [], labels: [], distinct: 0 };
    set.maps = { path: paths.maps, offset: pictures * pixels * 4 };
    set.masks = { path: paths.masks, offset: pictures * pixels };
    seen.fill(0);
    for (let i = 0; i < count; i++) {
      const isAnomalous = i === 0 || (i > 1 && random() > normalShare);
      fillPicture(random, isAnomalous, map, mask);
      for (let p = 0; p < pixels; p++) {
        const byte = bits[p] >>> 3;
        const bit = 1 << (bits[p] & 7);
        if ((seen[byte] & bit) === 0) {
          seen[byte] |= bit;
          set.distinct++;
        }
      }
      writeAll(files.maps, new Uint8Array(map.buffer));
      writeAll(files.masks, mask);
      set.scores.push((isAnomalous ? 0.45 : 0.35) + 0.3 * random());
      set.labels.push(isAnomalous ? 1 : 0);
    }
    pictures += count;
    classes.push(set);
  }
  closeSync(files.maps);
  closeSync(files.masks);
  return classes;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const seconds = (value) => `${value.toFixed(value < 1 ? 3 : 2)} s`;
const megabytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

function runChild(command, commandArgs) {
  const { status, stdout, error } = spawnSync(command, commandArgs, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
  return JSON.parse(stdout);
}

const evaluateInChild = (plan) =>
  runChild(process.execPath, [fileURLToPath(import.meta.url), '--evaluate', JSON.stringify(plan)]);

/** Largest difference between our figures and those of the Python tools. */
function largestDifference(ours, theirs) {
  const { pixel, image } = ours;
  const pairs = [
    [image.auroc.value, theirs.values['image-auroc']],
    [image.ap.value, theirs.values['image-ap']],
    [image.f1Max.value, theirs.values['image-f1']],
    [pixel.auroc.value, theirs.values['pixel-auroc']],
    [pixel.ap.value, theirs.values['pixel-ap']],
    [pixel.f1Max.value, theirs.values['pixel-f1']],
    [pixel.aupro.find(({ limit }) => limit === 0.3).reference200.value, theirs.values['pixel-aupro']],
  ];
  return Math.max(...pairs.map(([a, b]) => Math.abs(a - b)));
}

function compareWithPython(set, count, runs) {
  const part = { ...set, count, scores: set.scores.slice(0, count), labels: set.labels.slice(0, count) };
  const script = fileURLToPath(new URL('metrics_peer.py', import.meta.url));
  const python = runChild(args.python, [script, JSON.stringify({ ...part, runs })]);
  const ours = evaluateInChild({ classes: [part], runs: 7 });
  const oursMedian = median(ours.seconds);
  const theirsMedian = median(python.runs.map(({ total }) => total));
  say(`\n${count} maps of class ${set.className}, medians`);
  for (const tool of Object.keys(python.runs[0])) {
    if (!tool.startsWith('total'))
      say(`  ${tool.padEnd(46)} ${seconds(median(python.runs.map((run) => run[tool])))}`);
  }
  say(`  ${'Python tools together'.padEnd(46)} ${seconds(theirsMedian)} (${python.runs.length} runs)`);
  say(
    `  ${'crane-native, with exact AUPRO on top'.padEnd(46)} ${seconds(oursMedian)} (${ours.seconds.length} runs)`,
  );
  const cpuRatio = median(python.runs.map((run) => run.totalCpu)) / median(ours.cpuSeconds);
  say(`  ratio ${(theirsMedian / oursMedian).toFixed(0)} : 1, of processor time ${cpuRatio.toFixed(0)} : 1`);
  say(
    `  largest difference of a figure ${largestDifference(ours.evaluation.classes[0], python).toExponential(1)}`,
  );
  say(`  ${python.versions}`);
  return { count, python: python.runs, ours: ours.seconds, ratio: theirsMedian / oursMedian, cpuRatio };
}

async function main() {
  const scale = Number(args.scale);
  const runs = Number(args.runs);
  const needed = 1725 * pixels * 5 * scale;
  const { bavail, bsize } = statfsSync(args.folder);
  if (bavail * bsize < needed * 1.2) {
    throw new Error(`${args.folder}: ${megabytes(needed)} are needed, ${megabytes(bavail * bsize)} are free`);
  }
  const folder = mkdtempSync(join(args.folder, 'crane-bench-'));
  try {
    const load = loadavg()[0];
    const machine = `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}, load ${load.toFixed(1)} at start`;
    say(machine);
    let startedAt = performance.now();
    const classes = synthesise(folder, scale);
    const maps = classes.reduce((sum, { count }) => sum + count, 0);
    const distinct = Math.min(...classes.map((set) => set.distinct));
    say(
      `${classes.length} classes, ${maps} maps of ${side} x ${side}, at least ${distinct} distinct values a class, ` +
        `${megabytes(maps * pixels * 4)} + ${megabytes(maps * pixels)}, made in ${seconds((performance.now() - startedAt) / 1000)}`,
    );
    startedAt = performance.now();
    const sets = classes.map(({ distinct: _, ...set }) => set);
    const whole = evaluateInChild({ classes: sets, runs });
    say(
      `\nall metrics of all classes, reading included: median ${seconds(median(whole.seconds))}, first ${seconds(whole.seconds[0])} (${whole.seconds.length} runs), processor time ${seconds(median(whole.cpuSeconds))}`,
    );
    say(
      `  resident ${megabytes(whole.anonymousPeak)} without mapped pages at most, ${megabytes(whole.peak)} with them`,
    );
    const { leftOut } = whole.evaluation.mean;
    say(
      `  pixel AUROC ${leftOut.pixel.auroc.value.toFixed(4)}, AP ${leftOut.pixel.ap.value.toFixed(4)}, ` +
        `F1max ${leftOut.pixel.f1Max.value.toFixed(4)}, AUPRO at 0.3 exact ${leftOut.pixel.aupro[1].exact.value.toFixed(4)}, ` +
        `by 200 thresholds ${leftOut.pixel.aupro[1].reference200.value.toFixed(4)}`,
    );
    let compared;
    if (args.python)
      compared = compareWithPython(
        sets[0],
        Math.min(Number(args.maps), sets[0].count),
        Number(args['python-runs']),
      );
    else say('\nnot compared with the Python tools: --python PATH (see the head of this script)');
    say(`\nload ${loadavg()[0].toFixed(1)} at the end; other work on the machine makes all figures larger`);
    if (args.json) {
      const { seconds: all, anonymousPeak, peak } = whole;
      console.log(JSON.stringify({ machine, maps, distinct, seconds: all, anonymousPeak, peak, compared }));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (args.evaluate) await evaluatePlan(JSON.parse(args.evaluate));
else await main();

// Times a training step from the feature cache against the same step computed as the reference does it, in PyTorch.
// One run, interleaved, full ViT-L/14 size with synthetic weights:
//   node test/bench/train.mjs --python VENV/bin/python [--peer-steps 3] [--steps 9] [--json FILE]
// VENV needs torch 2.11.0 and safetensors (pip install torch==2.11.0 safetensors); without --python only ours runs.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { loadAddon } from '../../dist/addon/load-addon.js';
import { findModel } from '../../dist/models/find-model.js';
import { synthModel } from '../../dist/models/weights/synth-model.js';
import { tokenize } from '../../dist/text/tokenizer.js';

const batch = 8;
const side = 518;
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    model: { type: 'string' },
    'peer-steps': { type: 'string', default: '3' },
    steps: { type: 'string', default: '9' },
    json: { type: 'string' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'crane-bench-train-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  const { addon } = await loadAddon();
  const modelFolder = values.model ?? join(folder, 'model');
  if (!values.model) {
    await synthModel('crane', {
      out: modelFolder,
      overwrite: false,
      addon,
      log: (line) => console.error(line),
    });
  }
  const model = await findModel(modelFolder);
  const weights = join(modelFolder, model.weights[0].file);
  const { physical } = { physical: await addon.setThreads(0) };
  const { text, vision, method } = model;
  const engine = await addon.openEngine({
    weights: [weights],
    vision,
    text,
    height: side,
    width: side,
    device: 'cpu',
    threads: 0,
  });

  const set = model.prompts.sets[model.prompts.default];
  const texts = [];
  for (const line of [set.normal, set.anomalous]) texts.push(Int32Array.from((await tokenize(line)).ids));

  // Features of eight pictures of noise, as the first epoch writes them.
  const files = [];
  const cells = Uint32Array.from({ length: 37 * 37 }, (_, i) => (i % 10 === 0 ? 196 : 0));
  const extraction = [];
  for (let i = 0; i < batch; i++) {
    const path = join(folder, `${i}.safetensors`);
    const picture = { data: randomBytes(side * side * 3), width: side, height: side, mode: 'RGB' };
    const began = performance.now();
    await engine.writeFeatures(
      [
        {
          picture: { ...picture, data: new Uint8Array(picture.data) },
          path,
          masks: [{ name: 'mask', anomalous: i % 2 ? cells : new Uint32Array(37 * 37) }],
        },
      ],
      'f16',
      method,
    );
    extraction.push((performance.now() - began) / 1000);
    files.push(path);
    process.stderr.write(`\rfeatures ${i + 1}/${batch}`);
  }
  process.stderr.write('\n');
  const items = files.map((features, i) => ({
    features,
    cells: 'mask',
    isAnomalous: i % 2 === 1,
  }));
  const options = {
    focalWeight: 2,
    diceWeight: 2,
    imageLossWeight: 0.2,
    pixelTemperature: 0.07,
    imageTemperature: 0.01,
    learningRate: 1e-3,
    beta1: 0.6,
    beta2: 0.999,
    eps: 1e-8,
    guidance: 'pad-suffix',
    halfDeepTokens: true,
    contextRows: 12,
    deepBlocks: 8,
    deepTokens: 4,
  };
  const fresh = {
    seed: 111,
    texts: { normal: [texts[0]], anomalous: [texts[1]] },
    files: {},
  };

  const ours = { shared: [], whole: [] };
  const faces = [];
  for (const sharedPrefix of [true, false])
    faces.push([
      sharedPrefix ? 'shared' : 'whole',
      await engine.beginTraining(fresh, method, { ...options, sharedPrefix }),
    ]);
  const runOurs = async (count, keep = true) => {
    for (let i = 0; i < count; i++)
      for (const [name, training] of faces) {
        const began = performance.now();
        await training.step(items);
        if (keep) ours[name].push((performance.now() - began) / 1000);
      }
  };
  await runOurs(2, false);

  const peer = values.python
    ? await startPeer(values.python, {
        weights,
        texts: texts.map((ids) => [...ids]),
        threads: physical,
        batch,
        side,
      })
    : undefined;
  const theirs = [];
  for (let i = 0; i < Number(values['peer-steps']); i++) {
    await runOurs(Math.ceil(Number(values.steps) / Number(values['peer-steps'])));
    if (!peer) continue;
    const step = await peer.step();
    theirs.push(step);
    console.error(
      `peer step ${i + 1}: ${step.s.toFixed(1)} s (towers ${step.towers.toFixed(1)} s), ours ${median(ours.shared).toFixed(3)} s`,
    );
  }
  peer?.stop();
  const status = readFileSync('/proc/self/status', 'utf8');
  const peak = Number(/VmHWM:\s+(\d+)/.exec(status)[1]) * 1024;
  const report = {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0].model,
    cores: availableParallelism(),
    threads: physical,
    sizes: { batch, side, tower: 'ViT-L/14, 24 blocks' },
    extraction: { median: median(extraction), samples: extraction },
    step: { median: median(ours.shared), samples: ours.shared },
    stepPerPicture: { median: median(ours.whole), samples: ours.whole },
    peakMemoryBytes: peak,
    ...(peer
      ? {
          peer: { version: peer.version, median: median(theirs.map((s) => s.s)), samples: theirs },
          ratio: median(theirs.map((s) => s.s)) / median(ours.shared),
        }
      : {}),
  };
  // 5 epochs over MVTec's 1,725 pictures, from these parts: an estimate.
  report.estimate = {
    pictures: 1725,
    epochs: 5,
    hours: (1725 * report.extraction.median + 5 * Math.ceil(1725 / batch) * report.step.median) / 3600,
  };
  console.log(JSON.stringify(report, null, 2));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  for (const [, training] of faces) await training.end();
  await engine.dispose();
}

async function startPeer(python, setup) {
  const child = spawn(python, [new URL('train_peer.py', import.meta.url).pathname], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the PyTorch peer ended');
    return JSON.parse(value);
  };
  child.stdin.write(`${JSON.stringify(setup)}\n`);
  const { ready } = await next();
  return {
    version: ready,
    step: () => {
      child.stdin.write('step\n');
      return next();
    },
    stop: () => child.stdin.end(),
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0
    ? Number.NaN
    : (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

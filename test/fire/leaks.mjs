// Whether memory is lost, by what the C library has allocated after thousands of the same: node test/fire/leaks.mjs [WHAT] [--times N]
//   score (20,000), load (1,000), bank (1,000)
// The line through the samples, its slope in bytes for each time and twice its standard error; with --plant 64 bytes are lost with each
// file that is opened, which must be found. Needs npm run build:ts, the addon and a C++ compiler. The last line of each is JSON.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { loadEngine } from '../../dist/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string' }, plant: { type: 'boolean' }, inside: { type: 'string' } },
});
const k_times = { score: 20_000, load: 1_000, bank: 1_000 };
const k_samples = 30;

const model = 'crane-mini';
const options = { model, threads: 1, startCache: false, size: 56 };

/** What is done again and again. Files are opened below `folder`. */
const works = {
  async score(folder) {
    const engine = await loadEngine(options);
    const pictures = await makePictures(folder, 4);
    return {
      once: (i) => engine.score(pictures[i % pictures.length], { map: true }),
      end: () => engine.dispose(),
    };
  },
  async load(folder) {
    const [picture] = await makePictures(folder, 1);
    return {
      once: async () => {
        const engine = await loadEngine(options);
        await engine.score(picture);
        await engine.dispose();
      },
      end: () => {},
    };
  },
  async bank(folder) {
    const engine = await loadEngine(options);
    const pictures = await makePictures(folder, 2);
    return {
      once: async () => {
        const bank = await engine.learnNormals(pictures, { turns: 1 });
        await bank.save(join(folder, 'bank.safetensors'), { overwrite: true });
        bank.remove();
      },
      end: () => engine.dispose(),
    };
  },
};

async function makePictures(folder, count) {
  const paths = Array.from({ length: count }, (_, i) => join(folder, `${i}.png`));
  for (const [i, path] of paths.entries()) {
    const data = Buffer.from({ length: 64 * 64 * 3 }, () => 0).map(
      (_, each) => (each * (i + 3) * 7919) % 251,
    );
    await sharp(data, { raw: { width: 64, height: 64, channels: 3 } })
      .png()
      .toFile(path);
  }
  return paths;
}

/** Bytes that the C library has given out, after JavaScript has given up what it may. */
async function allocated(folder) {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const file = join(folder, 'memory');
  renameSync('/crane-fire/memory', file);
  return Number(readFileSync(file, 'utf8'));
}

/** Least squares. @returns the slope and its standard error */
function slopeOf(points) {
  const n = points.length;
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / n;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  const slope = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread;
  const left = points.reduce((sum, [at, value]) => sum + (value - y - slope * (at - x)) ** 2, 0);
  return { slope, error: Math.sqrt(left / (n - 2) / spread) };
}

/** In the process under the shim. */
async function measure(what, times, folder) {
  const work = await works[what](folder);
  // What is kept once, caches and pools, is filled by then.
  const warm = Math.ceil(times / 5);
  for (let i = 0; i < warm; i++) await work.once(i);
  const points = [];
  const step = Math.ceil(times / k_samples);
  for (let done = 0; done < times; done += step) {
    for (let i = 0; i < step; i++) await work.once(done + i);
    points.push([done + step, await allocated(folder)]);
  }
  await work.end();
  const { slope, error } = slopeOf(points);
  const grown = points.at(-1)[1] - points[0][1];
  // Less than a tenth of the planted bug for each time, or not to be told from none.
  const isFlat = Math.abs(slope) < Math.max(6.4, 2 * error);
  console.log(
    JSON.stringify({ what, times, slope: +slope.toFixed(2), error: +error.toFixed(2), grown, isFlat }),
  );
}

if (values.inside) {
  await measure(positionals[0], Number(values.times), values.inside);
} else {
  const scratch = mkdtempSync(join(tmpdir(), 'crane-leaks-'));
  const library = join(scratch, 'faults.so');
  const flags = ['-std=c++20', '-O1', '-shared', '-fPIC', '-fno-builtin-malloc'];
  execFileSync(process.env.CXX ?? 'c++', [...flags, join(here, 'faults.cpp'), '-o', library, '-ldl']);
  for (const what of positionals.length > 0 ? positionals : Object.keys(works)) {
    const folder = join(scratch, what);
    mkdirSync(folder);
    const inside = [what, '--times', values.times ?? String(k_times[what]), '--inside', folder];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', fileURLToPath(import.meta.url), ...inside],
      {
        encoding: 'utf8',
        env: {
          ...process.env,
          LD_PRELOAD: library,
          CRANE_FIRE_FOLDER: folder,
          MALLOC_ARENA_MAX: '2',
          ...(values.plant ? { CRANE_FIRE_PLANT: 'leak' } : {}),
        },
      },
    );
    if (stdout === '') writeFileSync(2, stderr);
    process.stdout.write(stdout);
  }
  rmSync(scratch, { recursive: true });
}

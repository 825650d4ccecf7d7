/** Banks of normal pictures with the built engine: a slow judge, drawn banks, an end in the middle. */
import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadEngine } from '../../dist/index.js';
import { readSealed, writeSealed } from '../../src/files/sealed.js';
import { craneNative, lines, root, timesSlower } from './crane-native.js';
import { makeNoiseSet, makeTinyModel } from './tiny-model.js';

let scratch: string;
let model: string;
let data: string;
const at = (...parts: string[]) => join(scratch, ...parts);
const good = (...numbers: number[]) => numbers.map((n) => join(data, 'part', 'test', 'good', `${n}.png`));
const square = (n: number) => join(data, 'part', 'test', 'square', `${n}.png`);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'crane normals-'));
  model = await makeTinyModel(at('model'));
  data = await makeNoiseSet(at('noise'), 12);
}, 120_000 * timesSlower);
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** A bank's rows as double-precision arrays. */
async function rowsOf(
  addon: Awaited<ReturnType<typeof loadEngine>>['addon'],
  path: string,
): Promise<number[][]> {
  const { shape, data: values } = await addon.readTensor(path, 'rows');
  const width = shape[1]!;
  return Array.from({ length: shape[0]! }, (_, row) =>
    Array.from(values.slice(row * width, (row + 1) * width) as Float32Array),
  );
}

describe('scores and own scores', () => {
  it(
    'are those of a slow search in double precision',
    async () => {
      const engine = await loadEngine({ model, startCache: false });
      try {
        const bank = await engine.learnNormals(good(0, 2, 4), { turns: 4, mirror: true });
        const path = at('bank.safetensors');
        await bank.save(path);
        const rows = await rowsOf(engine.addon, path);
        expect(rows).toHaveLength(3 * 8 * 16);
        for (const row of rows) expect(Math.hypot(...row)).toBeCloseTo(1, 5);
        const far = (patches: number[][], others: number[][]) =>
          patches.map((patch) => {
            const cosines = others.map((other) =>
              other.reduce((sum, value, k) => sum + value * patch[k]!, 0),
            );
            return (1 - Math.max(...cosines)) / 2;
          });
        const topMean = (distances: number[], share: number) => {
          const count = Math.max(1, Math.floor(share * distances.length));
          const top = [...distances].sort((a, b) => b - a).slice(0, count);
          return top.reduce((sum, value) => sum + value, 0) / count;
        };
        let worst = 0;
        for (const picture of [...good(6), square(1), square(3)]) {
          // Its own patches are what a bank of it alone holds.
          const own = at(`own-${worst}-${picture.length}-${Math.random()}.safetensors`);
          await (await engine.learnNormals([picture], { turns: 1 })).save(own);
          const distances = far(await rowsOf(engine.addon, own), rows);
          for (const topShare of [0, 0.25, 1]) {
            const { score } = await engine.score(picture, { normals: bank, neighbours: 1, topShare });
            worst = Math.max(worst, Math.abs(score - topMean(distances, topShare)));
          }
          const patches = await rowsOf(engine.addon, own);
          const ofEach = [0, 1, 2].map((i) =>
            far(patches, rows.slice((i * rows.length) / 3, ((i + 1) * rows.length) / 3)),
          );
          // Of three pictures at most two: one is left out where a picture of the bank itself is scored.
          for (const neighbours of [2, 5]) {
            const { score } = await engine.score(picture, { normals: bank, neighbours, topShare: 0.25 });
            const nearest = patches.map((_, at) => {
              const [first, second] = ofEach.map((of) => of[at]!).sort((a, b) => a - b);
              return (first! + second!) / 2;
            });
            worst = Math.max(worst, Math.abs(score - topMean(nearest, 0.25)));
          }
          const { map } = await engine.score(picture, { normals: bank, neighbours: 1, sigma: 0, map: true });
          // A bilinear map goes through every patch's value between the middles of its pixels.
          expect(Math.max(...map!.data)).toBeCloseTo(Math.max(...distances), 2);
        }
        const ownScores = await engine.banks.ownScores(bank, { neighbours: 1, topShare: 0.25 });
        const ofPicture = rows.length / 3;
        for (const [i, { score }] of ownScores.entries()) {
          const upright = rows.slice(i * ofPicture, i * ofPicture + 16);
          const others = rows.filter((_, row) => Math.floor(row / ofPicture) !== i);
          worst = Math.max(worst, Math.abs(score - topMean(far(upright, others), 0.25)));
        }
        expect(worst).toBeLessThan(1e-5);
        expect(worst).toBeGreaterThan(0);
      } finally {
        await engine.dispose();
      }
    },
    120_000 * timesSlower,
  );

  it(
    'do not depend on batch, order, threads or how the bank came about',
    async () => {
      const one = await loadEngine({ model, startCache: false, threads: 1 });
      const bank = await one.learnNormals(good(0, 2, 4), { turns: 3 });
      const path = at('turns.safetensors');
      await bank.save(path);
      const inputs = [square(1), ...good(6, 8), square(3)];
      const alone = new Map<string, number>();
      for (const input of inputs) alone.set(input, (await one.score(input, { normals: bank })).score);
      const mixed: number[] = [];
      for await (const result of one.scoreMany([...inputs].reverse(), { normals: path, batch: 4 }))
        mixed.push((result as { score: number }).score);
      expect(mixed).toEqual([...inputs].reverse().map((input) => alone.get(input)));
      const parts = [
        await one.learnNormals(good(4), { turns: 3 }),
        await one.learnNormals(good(2, 0), { turns: 3 }),
      ];
      const backwards = await one.mergeNormals(parts);
      for (const input of inputs)
        expect((await one.score(input, { normals: backwards })).score).toBe(alone.get(input));
      await one.dispose();
    },
    120_000 * timesSlower,
  );

  it(
    'stay those of a bank that another is renamed over, and are refused where it is written over in place',
    async () => {
      const engine = await loadEngine({ model, startCache: false });
      try {
        const [path, first, second] = ['used', 'first', 'second'].map((name) => at(`${name}.safetensors`));
        await (await engine.learnNormals(good(0, 2))).save(first!);
        await (await engine.learnNormals(good(4, 6))).save(second!);
        await copyFile(first!, path!);
        const bank = await engine.openNormals(path!);
        const scored = async (normals: typeof bank) => (await engine.score(square(1), { normals })).score;
        const score = await scored(bank);
        await copyFile(second!, at('new.safetensors'));
        await rename(at('new.safetensors'), path!);
        expect(await scored(bank)).toBe(score);
        const other = await engine.openNormals(path!);
        expect(await scored(other)).not.toBe(score);
        await copyFile(first!, path!);
        await expect(scored(other)).rejects.toMatchObject({ code: 'E_FILE_CHANGED' });
        expect(await scored(bank)).toBe(score);
        expect(await scored(await engine.openNormals(path!))).toBe(score);
      } finally {
        await engine.dispose();
      }
    },
    60_000 * timesSlower,
  );
});

describe('test --normals-k-shot', () => {
  const test = (out: string, ...more: string[]) =>
    craneNative([
      'test',
      data,
      '--model',
      model,
      '--out',
      at(out),
      '--normals-k-shot',
      '1,3',
      '--seeds',
      '2',
      ...more,
    ]);

  it(
    'draws banks from the good pictures and scores the others, the same ones for every k',
    async () => {
      const run = await test('shots');
      expect(run).toMatchObject({ code: 0 });
      const told = JSON.parse(await readFile(at('shots', 'k-shot.json'), 'utf8'));
      expect(told).toMatchObject({ kind: 'k-shot', shots: [1, 3], failed: [], bank: { turns: 8 } });
      const [only] = told.classes;
      expect(only).toMatchObject({ from: 'test', good: 6, scored: { normal: 3, anomalous: 6 } });
      expect(only.draws).toHaveLength(4);
      // Each has a bank of its own, so none of their scores may be taken for another's.
      expect(new Set(only.draws.map(({ label }: Draw) => label)).size).toBe(4);
      for (const seed of told.seeds) {
        const [one, three] = [1, 3].map((k) =>
          only.draws.find((d: Draw) => d.shots === k && d.seed === seed),
        );
        expect(three.normals).toHaveLength(3);
        expect(one.normals).toEqual(three.normals.slice(0, 1));
      }
      const values = only.draws
        .filter((d: Draw) => d.shots === 3)
        .map((d: Draw) => d.figures['image_auroc']!);
      const mean = (values[0] + values[1]) / 2;
      const { figures } = told.means[1];
      expect(figures.image_auroc.mean).toBeCloseTo(mean, 12);
      // Student's t of one degree of freedom: 12.706
      const half = (12.7062 * Math.abs(values[0] - values[1])) / Math.SQRT2 / Math.SQRT2;
      expect(figures.image_auroc.interval.high - mean).toBeCloseTo(half, 4);
      expect(run.stdout).toContain('mean, 3 good');
      expect((await test('again')).stdout).toBe(run.stdout);
      expect(await readdir(at('shots'))).toEqual(['k-shot.json']);

      // Patches that are kept give the figures of pictures that are scored.
      const draw = only.draws.find((d: Draw) => d.shots === 3);
      const engine = await loadEngine({ model, startCache: false });
      try {
        const bank = await engine.learnNormals(draw.normals.map((name: string) => join(data, name)));
        const scores: number[] = [];
        const labels: boolean[] = [];
        for (const [i, kind] of [...'gbgbgbgbgbgb'].entries()) {
          const input = kind === 'g' ? good(i)[0]! : square(i);
          if (draw.normals.some((name: string) => join(data, name) === input)) continue;
          scores.push((await engine.score(input, { normals: bank })).score);
          labels.push(kind === 'b');
        }
        const pairs = scores.flatMap((a, i) => scores.map((b, j) => [labels[i]!, labels[j]!, a, b] as const));
        const told = pairs.filter(([one, other]) => one && !other);
        const right = told.reduce((sum, [, , a, b]) => sum + (a > b ? 1 : a === b ? 0.5 : 0), 0);
        expect(draw.figures['image_auroc']).toBeCloseTo(right / told.length, 12);
      } finally {
        await engine.dispose();
      }
    },
    240_000 * timesSlower,
  );

  it(
    'goes on where it was killed, with what it had found',
    async () => {
      const args = ['test', data, '--model', model, '--normals-k-shot', '1,3', '--seeds', '4'];
      const out = at('ended');
      const command = [join(root, 'dist', 'cli', 'main.js'), ...args, '--out', out];
      const child = spawn(process.execPath, command, { stdio: 'ignore' });
      const draws = join(out, 'k-shot-state', 'draws');
      const watch = setInterval(async () => {
        const names = await readdir(draws).catch(() => []);
        if (names.filter((name) => name.endsWith('.json')).length >= 2) child.kill('SIGKILL');
      }, 1);
      await new Promise((resolve) => child.once('exit', resolve));
      clearInterval(watch);
      const done = (await readdir(draws)).filter((name) => name.endsWith('.json'));
      expect(done.length).toBeGreaterThanOrEqual(2);
      expect(done.length).toBeLessThan(8);
      const taken = await craneNative([...args, '--out', out]);
      expect(taken.code).toBe(2);
      expect(taken.stderr).toContain('--resume');
      // A file that is damaged counts as none; one that is whole is believed.
      await writeFile(join(draws, done[0]!), '{"scored":');
      const known = JSON.parse((await readSealed(join(draws, done[1]!)))!);
      known.figures.image_auroc = 0.123456;
      await writeSealed(join(draws, done[1]!), JSON.stringify(known));
      expect(await craneNative([...args, '--out', out, '--resume'])).toMatchObject({ code: 0 });
      const whole = JSON.parse(await readFile(join(out, 'k-shot.json'), 'utf8'));
      await craneNative([...args, '--out', at('unended')]);
      const wanted = JSON.parse(await readFile(join(at('unended'), 'k-shot.json'), 'utf8'));
      const ofDraws = (run: { classes: { draws: Draw[] }[] }) => run.classes[0]!.draws;
      const changed = ofDraws(whole).filter(
        (draw, i) => draw.figures['image_auroc'] !== ofDraws(wanted)[i]!.figures['image_auroc'],
      );
      expect(changed.map(({ figures }) => figures['image_auroc'])).toEqual([0.123456]);
      expect(await readdir(out)).toEqual(['k-shot.json']);
    },
    240_000 * timesSlower,
  );

  type Draw = {
    shots: number;
    seed: number;
    label: string;
    normals: string[];
    figures: Record<string, number | null>;
  };

  it(
    'refuses more good pictures than there are, and flags that it does not read',
    async () => {
      const many = await craneNative([
        'test',
        data,
        '--model',
        model,
        '--out',
        at('many'),
        '--normals-k-shot',
        '6',
      ]);
      expect(many.code).toBe(2);
      expect(many.stderr).toContain('has 6 good pictures in its test split, 7 are needed');
      const without = await craneNative(['test', data, '--model', model, '--out', at('no'), '--seeds', '2']);
      expect(without.code).toBe(2);
      expect(without.stderr).toContain('belongs to --normals-k-shot');
    },
    60_000 * timesSlower,
  );
});

describe('test and calibrate with a bank', () => {
  it(
    'name the bank, and warn when a tested picture is in it',
    async () => {
      const bank = at('warned.safetensors');
      const learned = await craneNative(['normals', 'learn', ...good(0, 2), '--model', model, '--out', bank]);
      expect(learned).toMatchObject({ code: 0 });
      const tested = await craneNative([
        'test',
        data,
        '--model',
        model,
        '--normals',
        bank,
        '--out',
        at('tested'),
        '--no-report',
      ]);
      expect(tested).toMatchObject({ code: 0 });
      expect(tested.stdout).toContain('WARNING');
      const run = JSON.parse(
        await readFile(at('tested', 'results.json'), 'utf8').catch(async () => {
          throw new Error((await readdir(at('tested'))).join(' '));
        }),
      );
      expect(run.settings).toMatchObject({
        method: { name: 'normals' },
        prompts: { name: '2 normal pictures' },
      });
      const calibrated = await craneNative([
        'calibrate',
        join(data, 'part', 'test', 'good'),
        '--model',
        model,
        '--normals',
        bank,
        '--normal-only',
        '--false-alarm-rate',
        '0.5',
        '--json',
      ]);
      expect(calibrated).toMatchObject({ code: 0 });
      expect(lines(calibrated)[0]).toMatchObject({
        rule: 'false-alarm-rate',
        prompts: { name: '2 normal pictures' },
      });
    },
    240_000 * timesSlower,
  );
});

describe('learning that is killed', () => {
  it(
    'leaves no half bank, also in the middle of writing it',
    async () => {
      const folder = at('killed');
      let inTheMiddle = 0;
      for (let i = 0; i < 4; i++) {
        const out = join(folder, `${i}.safetensors`);
        const args = [
          join(root, 'dist', 'cli', 'main.js'),
          'normals',
          'learn',
          join(data, 'part', 'test', 'good'),
        ];
        const child = spawn(process.execPath, [...args, '--model', model, '--out', out, '--turns', '360'], {
          stdio: 'ignore',
        });
        const before = new Set(await readdir(folder).catch(() => []));
        // The first sign of the file, under whatever name: from then on it is being written.
        const watch = setInterval(async () => {
          const names = await readdir(folder).catch(() => []);
          if (names.some((name) => !before.has(name))) child.kill('SIGKILL');
        }, 1);
        await new Promise((resolve) => child.once('exit', resolve));
        clearInterval(watch);
        const names = await readdir(folder);
        if (!names.includes(`${i}.safetensors`)) inTheMiddle++;
        else expect(await craneNative(['normals', 'show', out])).toMatchObject({ code: 0 });
      }
      expect(inTheMiddle).toBeGreaterThan(0);
    },
    240_000 * timesSlower,
  );
});

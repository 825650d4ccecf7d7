/** What `score --out` leaves in its folder, and going on with it. */
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { shardOf } from '../../../src/scoring/shards.js';
import { writePicture } from '../engine/toy-model.js';
import type { CliSurroundings } from './run-in-process.js';
import { codeOf, inputsOf, useScoringWorkplace } from './scoring-workplace.js';

const work = useScoringWorkplace();
const at = (...parts: string[]) => work.at(...parts);
const score = (args: string[], surroundings?: CliSurroundings) => work.score(args, surroundings);
let pictures: string;
beforeAll(() => {
  ({ pictures } = work);
});

describe('--out', () => {
  it("holds results, maps and heat maps that mirror the inputs' names", async () => {
    const out = at('out');
    const run = await score([
      pictures,
      '--recursive',
      '--out',
      out,
      '--maps',
      'npy',
      '--heatmaps',
      '--regions',
    ]);
    expect(run.code).toBe(0);
    expect((await readdir(out, { recursive: true })).sort()).toEqual([
      'a.heat.jpg',
      'a.map.npy',
      'b.heat.jpg',
      'b.map.npy',
      'results.files.json',
      'results.jsonl',
      'sub',
      'sub/a.heat.jpg',
      'sub/a.map.npy',
    ]);
    expect(await readFile(join(out, 'results.jsonl'), 'utf8')).toBe(run.stdout);
    expect(run.lines()[1]).toMatchObject({
      map: 'b.map.npy',
      heatmap: 'b.heat.jpg',
      regions: [{ width: 32, height: 24 }],
    });
    expect(await sharp(join(out, 'b.heat.jpg')).metadata()).toMatchObject({ width: 120, height: 24 + 26 });
  });

  it('never meets: inputs of one stem get files of their own', async () => {
    await writePicture(at('twins', 'a.png').replace(/a\.png$/, 'x.png'), 1).catch(() => {});
    await mkdir(at('twins'), { recursive: true });
    for (const name of ['a.png', 'a.webp', 'A.jpg']) await writePicture(at('twins', name), 1);
    const run = await score([at('twins'), at('twins'), '--out', at('twins out'), '--maps', 'tiff']);
    const maps = run.lines().map(({ map }) => String(map).toLowerCase());
    expect(new Set(maps).size).toBe(6);
    expect(await readdir(at('twins out'))).toHaveLength(8);
  });

  it('is not overwritten without --force, and --force overwrites', async () => {
    const args = [join(pictures, 'a.png'), '--out', at('kept'), '--maps', 'png16'];
    expect((await score(args)).code).toBe(0);
    const again = await score([...args, '--json']);
    expect(again.code).toBe(2);
    expect(codeOf(again.stderr)).toMatchObject({
      code: 'E_EXISTS',
      hint: expect.stringContaining('--resume'),
    });
    expect(again.addon.log.passes).toHaveLength(0);
    expect((await score([...args, '--force'])).code).toBe(0);
  });

  it('a map file of someone else stops the run with E_EXISTS', async () => {
    await mkdir(at('foreign'));
    await writeFile(at('foreign', 'a.map.npy'), 'mine');
    const run = await score([join(pictures, 'a.png'), '--out', at('foreign'), '--maps', 'npy', '--json']);
    expect(codeOf(run.stderr).code).toBe('E_EXISTS');
    expect(await readFile(at('foreign', 'a.map.npy'), 'utf8')).toBe('mine');
  });

  it("inside the inputs' folder is not scored", async () => {
    const inside = at('nest');
    await mkdir(inside);
    await writePicture(join(inside, 'p.png'), 10);
    const args = [inside, '--recursive', '--out', join(inside, 'out'), '--heatmaps', '--force'];
    await score(args);
    expect(inputsOf(await score(args))).toEqual([join(inside, 'p.png')]);
  });

  it.each([['--maps', 'tiff'], ['--heatmaps']])('%s does not go among the pictures', async (...flags) => {
    const run = await score([pictures, '--out', `${pictures}/`, ...flags, '--json']);
    expect([run.code, codeOf(run.stderr)]).toEqual([
      2,
      expect.objectContaining({ code: 'E_USAGE', hint: expect.stringContaining('another --out') }),
    ]);
  });

  it.each([['--maps', 'npy'], ['--heatmaps'], ['--resume']])('%s needs it', async (...flags) => {
    const run = await score([pictures, ...flags, '--json']);
    expect([run.code, codeOf(run.stderr).code]).toEqual([2, 'E_USAGE']);
  });

  it('cannot be written: E_IO_WRITE', async () => {
    await writeFile(at('file'), '');
    const run = await score([pictures, '--out', at('file', 'below'), '--json']);
    expect([run.code, codeOf(run.stderr).code]).toEqual([5, 'E_IO_WRITE']);
  });
});

describe('--resume', () => {
  it('goes on after a torn line and ends with the bytes of an undisturbed run', async () => {
    const args = [pictures, '--recursive', '--no-timings', '--maps', 'npy'];
    await score([...args, '--out', at('whole')]);
    const whole = await readFile(at('whole', 'results.jsonl'), 'utf8');
    for (const cut of [0, 1, 100, whole.indexOf('\n') + 1, whole.length - 1, whole.length]) {
      const out = at(`cut ${cut}`);
      await mkdir(out);
      await writeFile(join(out, 'results.jsonl.partial'), whole.slice(0, cut));
      const run = await score([...args, '--out', out, '--resume']);
      expect(run.code).toBe(0);
      expect(await readFile(join(out, 'results.jsonl'), 'utf8')).toBe(whole);
    }
  });

  it('scores nothing again', async () => {
    const run = await score([
      pictures,
      '--recursive',
      '--out',
      at('whole'),
      '--resume',
      '--no-timings',
      '--maps',
      'npy',
    ]);
    expect(run.addon.log.passes).toHaveLength(0);
    expect(run.stderr).toContain('3 inputs had results already');
  });

  it.each([
    [['--heatmap-format', 'png'], '--heatmap-format says how heat maps look, and none are written'],
    [['--maps', 'npy', '--heatmap-range', '0,1'], '--heatmap-range says how heat maps look'],
    [['--heatmaps', '--map-size', 'model'], '--map-size says how large maps are, and none are written'],
  ])('%j: refuses what would change nothing', async (flags, message) => {
    const run = await score([pictures, '--out', at('idle'), ...flags, '--json']);
    expect([run.code, codeOf(run.stderr).message]).toEqual([2, expect.stringContaining(message)]);
  });

  it('refuses results of other settings', async () => {
    const run = await score([pictures, '--out', at('whole'), '--resume', '--sigma', '2', '--json']);
    expect([run.code, codeOf(run.stderr).code]).toEqual([2, 'E_USAGE']);
  });

  it.each([
    ['another threshold', ['--threshold', '0.3'], ['--threshold', '0.5'], '--threshold 0.3'],
    ['one where there was none', ['--sigma', '2'], ['--sigma', '2', '--threshold', '0.5'], '--force'],
    ['none where there was one', ['--sigma', '2', '--threshold', '0'], ['--sigma', '2'], '--threshold 0,'],
    ['regions', [], ['--regions'], '--regions'],
    ['no regions', ['--regions'], [], '--regions'],
    [
      'a map threshold above its regions',
      ['--regions', '--map-threshold', '0.1'],
      ['--regions', '--map-threshold', '0.7'],
      '--map-threshold',
    ],
    [
      'regions where there was no map threshold',
      ['--sigma', '2', '--regions'],
      ['--sigma', '2', '--regions', '--map-threshold', '0.1'],
      '--map-threshold',
    ],
    ['maps', [], ['--maps', 'npy'], '--maps'],
    ['other maps', ['--maps', 'npy'], ['--maps', 'tiff'], '--maps'],
    ['no maps', ['--maps', 'npy'], [], '--maps'],
    ['heat maps', [], ['--heatmaps'], '--heatmaps'],
    ['other heat maps', ['--heatmaps'], ['--heatmaps', '--heatmap-format', 'png'], '--heatmaps'],
    ['no heat maps', ['--heatmaps'], [], '--heatmaps'],
    ['maps of another size', ['--maps', 'npy'], ['--maps', 'npy', '--map-size', 'model'], '--map-size'],
    ['other colours', ['--heatmaps'], ['--heatmaps', '--heatmap-range', '0,0.2'], '--heatmap-range'],
    [
      'another mark in the legend',
      ['--heatmaps', '--map-threshold', '0.3'],
      ['--heatmaps', '--map-threshold', '0.4'],
      '--map-threshold',
    ],
  ])('refuses %s, leaves all as it was, and goes on with the same', async (name, first, other, hint) => {
    const out = ['--out', at(`mixed ${name}`)];
    const path = at(`mixed ${name}`, 'results.jsonl');
    expect((await score([pictures, '--recursive', ...out, ...first, '--limit', '1'])).code).toBe(0);
    const before = await readFile(path, 'utf8');
    const refused = await score([pictures, '--recursive', ...out, ...other, '--resume', '--json']);
    expect([refused.code, refused.addon.log.passes.length]).toEqual([2, 0]);
    expect(codeOf(refused.stderr)).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining(path),
      hint: expect.stringContaining(hint),
    });
    expect(await readFile(path, 'utf8')).toBe(before);
    const same = await score([pictures, '--recursive', ...out, ...first, '--resume']);
    expect([same.code, same.lines().length]).toEqual([0, 2]);
    expect((await readFile(path, 'utf8')).startsWith(before)).toBe(true);
  });

  it('goes on with maps of an earlier version, which says no more of them', async () => {
    const args = [pictures, '--recursive', '--out', at('earlier version'), '--maps', 'npy'];
    await score([...args, '--limit', '1']);
    await rm(at('earlier version', 'results.files.json'));
    expect((await score([...args, '--resume'])).code).toBe(0);
  });

  it('with --fail-on-anomaly tells of what was found before', async () => {
    const args = [pictures, '--recursive', '--out', at('gate'), '--threshold', '0.6', '--resume'];
    // b.png alone is above it.
    await score([...args, '--limit', '2']);
    const rest = await score([...args, '--fail-on-anomaly']);
    expect(rest.lines()).toMatchObject([{ anomalous: false }]);
    expect([rest.code, rest.stderr]).toEqual([10, expect.stringContaining('1 of 3 pictures are anomalous')]);
  });

  it('tries again what failed before, and ends with the bytes of a run in which it never did', async () => {
    const folder = at('one broken');
    await mkdir(folder);
    const broken = join(folder, '0.png');
    await writeFile(broken, 'no picture');
    for (const name of ['1.png', '2.png']) await copyFile(join(pictures, 'a.png'), join(folder, name));
    const args = [folder, '--no-timings', '--out'];
    expect((await score([...args, at('failed before'), '--limit', '2'])).code).toBe(3);
    const still = await score([...args, at('failed before'), '--resume', '--limit', '1']);
    expect([still.code, inputsOf(still)]).toEqual([3, [broken]]);
    expect(still.stderr).toContain('1 of 2 inputs failed');
    await copyFile(join(pictures, 'b.png'), broken);
    const rest = await score([...args, at('failed before'), '--resume']);
    expect([rest.code, rest.lines().length]).toEqual([0, 2]);
    expect(rest.stderr).toContain('1 inputs had results already');
    await score([...args, at('never failed')]);
    expect(await readFile(at('failed before', 'results.jsonl'), 'utf8')).toBe(
      await readFile(at('never failed', 'results.jsonl'), 'utf8'),
    );
  });

  it('settings that no picture can be scored with end the run, and its place is free', async () => {
    const unfit = Object.assign(new Error('eAttnLayers is 100'), { code: 'E_MODEL_CONFIG' });
    const check = () => {
      throw unfit;
    };
    const args = [pictures, '--out', at('unfit')];
    const run = await score([...args, '--json'], { check });
    expect([run.code, run.lines()]).toEqual([4, []]);
    expect(codeOf(run.stderr).code).toBe('E_MODEL_CONFIG');
    expect((await score(args)).code).toBe(0);
  });

  it('refuses a file with a foreign line in the middle', async () => {
    await mkdir(at('foreign lines'));
    await writeFile(at('foreign lines', 'results.jsonl'), 'hello\n{}\n');
    const run = await score([pictures, '--out', at('foreign lines'), '--resume', '--json']);
    expect(codeOf(run.stderr).code).toBe('E_IO_READ');
  });
});

describe('C9: files of results that are kept', () => {
  const maps = ['--maps', 'npy', '--heatmaps', '--no-timings'];
  const bytesOf = async (out: string) => {
    const text = (await readdir(out)).filter((name) => /^results.*jsonl$/.test(name));
    const lines = (await Promise.all(text.map((name) => readFile(join(out, name), 'utf8')))).join('');
    const files = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { input: string; map: string; heatmap: string });
    return Promise.all(
      files.map(async ({ input, map, heatmap }) => [
        input,
        await readFile(join(out, map), 'hex'),
        await readFile(join(out, heatmap), 'hex'),
      ]),
    );
  };
  const place = async (...parts: string[]) => {
    const path = at('kept', ...parts);
    await mkdir(join(path, '..'), { recursive: true });
    await writePicture(path, 20 * parts.length + parts[0]!.charCodeAt(0));
    return join(path, '..');
  };

  it.each([
    ['--resume', 0, ['--resume']],
    ['another shard', 1, ['--resume']],
    ['another shard, anew', 1, ['--force']],
  ])('keep their names: %s', async (name, isSharded, flags) => {
    const x = await place('x', name, '1.png');
    // Of folders with equal names of files, one whose picture is the other shard's.
    const own = shardOf(join(x, '1.png'), 2);
    const names = Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => `y${letter}`);
    const other = names.find((y) => shardOf(at('kept', y, name, '1.png'), 2) !== own)!;
    const y = await place(other, name, '1.png');
    const [first, second] = isSharded
      ? [
          ['--shard', `${own}/2`],
          ['--shard', `${3 - own}/2`],
        ]
      : [[], []];
    await writePicture(join(y, '0.png'), 5);
    const out = at('kept out', name);
    await score([x, '--out', out, ...maps, ...first]);
    const before = await bytesOf(out);
    expect(before).toHaveLength(1);
    expect((await score([y, '--out', out, ...maps, ...second, ...flags])).code).toBe(0);
    const after = await bytesOf(out);
    expect(after).toContainEqual(before[0]);
    expect(new Set(after.map(([, map]) => map)).size).toBe(after.length);
    expect(after.length).toBeGreaterThan(1);
  });

  it('stay those of their inputs when other inputs come first', async () => {
    const [a, b, c] = [
      await place('a', 's', '1.png'),
      await place('b', 's', '1.png'),
      await place('c', 's', '1.png'),
    ];
    const out = at('kept in order');
    await score([b, c, '--out', out, ...maps]);
    const before = await bytesOf(out);
    const run = await score([a, b, c, '--out', out, ...maps, '--resume']);
    expect(run.lines().map(({ map }) => map)).toEqual(['1.png~2.map.npy']);
    expect((await bytesOf(out)).slice(0, 2)).toEqual(before);
  });
});

describe('interruption', () => {
  it('finishes what is in flight, saves it and exits with 130', async () => {
    const stop = new AbortController();
    const many = at('many');
    await mkdir(many);
    for (let count = 10; count < 40; count++) await writePicture(join(many, `${count}.png`), count);
    let passes = 0;
    const gate = async () => {
      if (++passes === 3) stop.abort();
    };
    const run = await score([many, '--out', at('stopped')], { gate, stop: stop.signal });
    expect(run.code).toBe(130);
    const saved = (await readFile(at('stopped', 'results.jsonl.partial'), 'utf8')).trimEnd().split('\n');
    expect(saved.length).toBe(run.lines().length);
    expect(saved.length).toBeGreaterThanOrEqual(3);
    expect(saved.length).toBeLessThan(30);
    expect(run.addon.log.disposed).toBe(1);
    expect((await score([many, '--out', at('stopped'), '--resume'])).lines()).toHaveLength(30 - saved.length);
  });
});

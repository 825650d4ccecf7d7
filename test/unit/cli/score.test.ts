import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shardOf } from '../../../src/scoring/shards.js';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';
import { type CliSurroundings, runInProcess } from './run-in-process.js';

let folder: string;
let model: string;
let pictures: string;
const at = (...parts: string[]) => join(folder, ...parts);
beforeAll(async () => {
  folder = await makeToyFolder();
  model = (await makeToyModel(at('toy model'))).folder;
  pictures = at('pictures ü');
  await mkdir(join(pictures, 'sub'), { recursive: true });
  await writePicture(join(pictures, 'b.png'), 200);
  await writePicture(join(pictures, 'a.png'), 50);
  await writePicture(join(pictures, 'sub', 'a.png'), 100);
  await writeFile(join(pictures, 'note.txt'), 'not a picture');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const score = (args: string[], surroundings?: CliSurroundings) =>
  runInProcess(['score', '--model', model, ...args], surroundings);
const inputsOf = (run: Awaited<ReturnType<typeof score>>) => run.lines().map(({ input }) => input);
const codeOf = (stderr: string) => (JSON.parse(stderr) as { error: { code: string; hint?: string } }).error;

describe('results', () => {
  it("are JSON Lines with the contract's fields when piped", async () => {
    const run = await score([join(pictures, 'b.png')]);
    expect(run.code).toBe(0);
    expect(run.lines()).toEqual([
      {
        input: join(pictures, 'b.png'),
        index: 0,
        score: expect.closeTo(0.784, 2),
        anomalous: true,
        threshold: 0.5,
        width: 32,
        height: 24,
        model: expect.stringMatching(/^toy@/),
        ms: { decode: expect.any(Number), preprocess: 1, forward: 2, postprocess: 3 },
      },
    ]);
    expect(run.stderr).toBe('');
  });

  it('are a table on a terminal, without colours under NO_COLOR', async () => {
    const args = [pictures, '--recursive'];
    const plain = await score(args, { isTerminal: { stdout: true }, env: { NO_COLOR: '1' } });
    expect(plain.stdout).toMatch(/input +score +verdict/);
    expect(plain.stdout).toMatch(/b\.png +0\.78\d\d +anomalous +32x24/);
    expect(plain.stdout).not.toContain('\x1b');
    expect((await score(args, { isTerminal: { stdout: true } })).stdout).toContain('\x1b[31m');
  });

  it('are CSV with quoted names', async () => {
    await writePicture(join(pictures, 'sub', 'x, "y".png'), 9);
    const run = await score([
      join(pictures, 'sub', 'x, "y".png'),
      join(pictures, 'none.png'),
      '--format',
      'csv',
    ]);
    const rows = run.stdout.trimEnd().split('\n');
    expect(rows[0]).toMatch(
      /^input,index,score,anomalous,threshold,width,height,regions,map,heatmap,model,ms\.decode/,
    );
    expect(rows[1]).toContain('x, ""y"".png",0,');
    expect(rows[2]).toMatch(/none\.png,1,.*E_INPUT_NOT_FOUND/);
    expect(run.code).toBe(3);
    await rm(join(pictures, 'sub', 'x, "y".png'));
  });

  it('leave out timings on request, so that equal runs give equal bytes', async () => {
    const args = [pictures, '--recursive', '--no-timings'];
    const runs = [await score(args), await score(args), await score([...args, '--batch', '3'])];
    expect(runs[0]!.stdout).not.toContain('"ms"');
    expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(1);
  });

  it('control characters of a file name never reach the terminal', async () => {
    const run = await score([join(pictures, 'evil\x1b[2J.png')], {
      isTerminal: { stdout: true },
      env: { NO_COLOR: '1' },
    });
    expect(run.stdout).not.toContain('\x1b');
    expect(run.code).toBe(3);
  });
});

describe('inputs', () => {
  it('of a folder come in a stable order, without other files and subfolders', async () => {
    expect(inputsOf(await score([pictures]))).toEqual([join(pictures, 'a.png'), join(pictures, 'b.png')]);
    expect(inputsOf(await score([pictures, '--recursive']))).toEqual(
      ['a.png', 'b.png', join('sub', 'a.png')].map((name) => join(pictures, name)),
    );
  });

  it('may be a glob, an @list or a list on standard input', async () => {
    const [a, b] = [join(pictures, 'a.png'), join(pictures, 'b.png')];
    await writeFile(at('list.txt'), `${b}\r\n\n${a}\n`);
    expect(inputsOf(await score([join(pictures, '*.png')]))).toEqual([a, b]);
    expect(inputsOf(await score([`@${at('list.txt')}`]))).toEqual([b, a]);
    expect(inputsOf(await score(['-'], { stdin: [`${a}\n${b.slice(0, 5)}`, b.slice(5)] }))).toEqual([a, b]);
  });

  it('on standard input may be one picture', async () => {
    const bytes = await readFile(join(pictures, 'b.png'));
    const run = await score(['-'], { stdin: [bytes.subarray(0, 3), bytes.subarray(3)] });
    expect(run.lines()).toMatchObject([{ input: 'stdin', width: 32 }]);
  });

  it('after -- are inputs whatever they begin with', async () => {
    const run = await score(['--no-timings', '--', '--strange.png']);
    expect(run.lines()).toMatchObject([{ input: '--strange.png', error: { code: 'E_INPUT_NOT_FOUND' } }]);
  });

  it.each([
    [['-'], 'E_INPUT_NOT_FOUND'],
    [['PICTURES/*.gif'], 'E_INPUT_NOT_FOUND'],
    [['@PICTURES/none.txt'], 'E_INPUT_NOT_FOUND'],
    [['MODEL'], 'E_INPUT_NOT_FOUND'],
  ])('%j with nothing in it is %s, exit 3', async (args, code) => {
    const real = args.map((arg) => arg.replace('PICTURES', pictures).replace('MODEL', model));
    const run = await score([...real, '--json']);
    expect([run.code, codeOf(run.stderr).code]).toEqual([3, code]);
  });

  it('that fail are results with their error; the rest is done and the exit code is 3', async () => {
    const run = await score([
      join(pictures, 'none.png'),
      join(pictures, 'note.txt'),
      join(pictures, 'a.png'),
    ]);
    expect(run.code).toBe(3);
    expect(run.lines().map(({ error }) => (error as { code?: string } | undefined)?.code)).toEqual([
      'E_INPUT_NOT_FOUND',
      'E_IMAGE_DECODE',
      undefined,
    ]);
    expect(run.stderr).toContain('2 of 3 inputs failed');
  });

  it('are limited and sharded without loss or overlap, keeping their index', async () => {
    const all = (await score([pictures, '--recursive', '--no-timings'])).lines();
    const shards = await Promise.all(
      [1, 2, 3].map((part) => score([pictures, '--recursive', '--no-timings', '--shard', `${part}/3`])),
    );
    expect(all.map(({ index }) => index)).toEqual([0, 1, 2]);
    for (const [at, run] of shards.entries())
      expect(run.lines()).toEqual(all.filter(({ input }) => shardOf(String(input), 3) === at + 1));
    expect(inputsOf(await score([pictures, '--recursive', '--limit', '2']))).toHaveLength(2);
    const indexed = ['--recursive', '--no-timings', '--shard', 'index/3'];
    const pod = await score([pictures, ...indexed], { env: { JOB_COMPLETION_INDEX: '2' } });
    expect(pod.lines()).toEqual(shards[2]!.lines());
    for (const env of [{}, { JOB_COMPLETION_INDEX: '3' }, { JOB_COMPLETION_INDEX: 'x' }])
      expect((await score([pictures, ...indexed], { env })).stderr).toContain(
        'needs JOB_COMPLETION_INDEX from 0 to 2',
      );
  });
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
    expect(await readdir(at('twins out'))).toHaveLength(7);
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

  it('refuses results of other settings', async () => {
    const run = await score([pictures, '--out', at('whole'), '--resume', '--sigma', '2', '--json']);
    expect([run.code, codeOf(run.stderr).code]).toEqual([2, 'E_USAGE']);
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

describe('flags', () => {
  it.each([
    [['--treads', '2'], 'there is no flag "--treads"', 'did you mean --threads?'],
    [['--eAttn', 'kk'], 'there is no flag "--eAttn"', 'did you mean --e-attn?'],
    [['--threads', 'x'], 'Expected a whole number from 0 to 1024 for --threads but received "x"', undefined],
    [['--threads', ''], 'Expected a whole number from 0 to 1024 for --threads but received ""', undefined],
    [['--size', '28x'], expect.stringContaining('Expected N or WxH'), undefined],
    [['--shard', '3/2'], expect.stringContaining('Expected I/N'), undefined],
    [['--fit', 'crop'], 'Expected one of stretch, pad, tile for --fit but received "crop"', undefined],
  ])('%j: %s', async (flags, message, hint) => {
    const run = await score([join(pictures, 'a.png'), ...flags, '--json']);
    expect(run.code).toBe(2);
    expect(JSON.parse(run.stderr)).toEqual({
      error: { code: 'E_USAGE', message, ...(hint ? { hint } : {}) },
    });
  });

  it('reach the engine under their one name', async () => {
    const run = await score([
      join(pictures, 'a.png'),
      '--e-attn',
      'qq+kk',
      '--features',
      '2,4',
      '--no-fusion',
      '--d-attn-maps',
      'dattn',
      '--compat.half-deep-tokens=false',
      '--no-compat.aliased-features',
      '--size',
      '28x14',
      '--threads',
      '3',
      '--threshold',
      'none',
    ]);
    expect(run.addon.log.passes[0]!.method).toMatchObject({
      eAttn: 'qq+kk',
      features: [2, 4],
      fusion: false,
      maps: 'dattn',
      compat: { halfDeepTokens: false, aliasedFeatures: false },
    });
    expect(run.addon.log.opened[0]).toMatchObject({ width: 28, height: 14, threads: 3 });
    expect(run.lines()[0]).toMatchObject({ threshold: null, anomalous: null });
  });

  it('a repeated flag takes its last value', async () => {
    const run = await score([join(pictures, 'a.png'), '--threads', '1', '--threads', '2']);
    expect(run.addon.log.opened[0]).toMatchObject({ threads: 2 });
  });

  it('says that there are no regions without a map threshold', async () => {
    const run = await score([join(pictures, 'a.png'), '--regions', '--map-threshold', 'none']);
    expect(run.stderr).toContain('no regions');
    expect(run.lines()[0]).toMatchObject({ regions: null });
  });

  it('--verbose says what is loaded and what the prompts were learned on', async () => {
    const run = await score([join(pictures, 'a.png'), '--verbose']);
    expect(run.stderr).toMatch(/toy: weights of 1 kB are loaded/);
    expect(run.stderr).toMatch(/prompts learned on toys, games/);
  });
});

describe('progress', () => {
  it('is drawn on stderr only when that is a terminal', async () => {
    const drawn = await score([pictures], { isTerminal: { stderr: true } });
    expect(drawn.stderr).toMatch(/2\/2, [\d.]+\/s, 0 s left/);
    expect(drawn.stdout).not.toContain('left');
    expect((await score([join(pictures, 'a.png')])).stderr).toBe('');
  });
});

describe('a part of the pictures', () => {
  it('is named by --roi and --ignore, in results and their label', async () => {
    const mask = at('mask.png');
    await sharp({ create: { width: 32, height: 24, channels: 3, background: 'black' } })
      .composite([
        { input: { create: { width: 4, height: 24, channels: 3, background: 'white' } }, left: 0, top: 0 },
      ])
      .png()
      .toFile(mask);
    const input = join(pictures, 'b.png');
    const run = await score([input, '--roi', '2,0,16,24', '--ignore', mask]);
    expect(run.lines()).toMatchObject([
      { roi: { x: 2, y: 0, width: 16, height: 24 }, ignoredPixels: 2 * 24, score: expect.closeTo(0.784, 2) },
    ]);
    const labels = [run, await score([input]), await score([input, '--ignore', mask])].map(
      (one) => one.lines()[0]!['model'],
    );
    expect(new Set(labels).size).toBe(3);
    // Results of other parts do not come into one file.
    const out = at('parts');
    expect((await score([input, '--out', out, '--roi', '0,0,16,24'])).code).toBe(0);
    expect((await score([input, '--out', out, '--resume', '--roi', '8,0,16,24'])).code).toBe(2);
    const wrong = await score([input, '--roi', '1,2,3']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('X,Y,WIDTH,HEIGHT')]);
    expect((await score([input, '--ignore', at('none.png')])).lines()).toMatchObject([
      { error: { code: 'E_INPUT_NOT_FOUND' } },
    ]);
  });
});

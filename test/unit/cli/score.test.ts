import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { shardOf } from '../../../src/scoring/shards.js';
import { writePicture } from '../engine/toy-model.js';
import { type CliSurroundings, runInProcess } from './run-in-process.js';
import { codeOf, inputsOf, useScoringWorkplace } from './scoring-workplace.js';

const work = useScoringWorkplace();
const at = (...parts: string[]) => work.at(...parts);
const score = (args: string[], surroundings?: CliSurroundings) => work.score(args, surroundings);
let model: string;
let pictures: string;
beforeAll(() => {
  ({ model, pictures } = work);
});

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

  it('are CSV that says what of a picture was looked at, also of a run that was gone on with', async () => {
    const mask = at('left out.png');
    await writePicture(mask, 0);
    const part = ['--roi', '4,2,20,16', '--ignore', mask];
    const direct = await score([join(pictures, 'a.png'), ...part, '--format', 'csv']);
    const areas = (text: string) =>
      (parse(text, { columns: true }) as Record<string, string>[]).map((row) =>
        ['roi.x', 'roi.y', 'roi.width', 'roi.height', 'ignoredPixels'].map((name) => row[name]).join(),
      );
    expect(areas(direct.stdout)).toEqual(['4,2,20,16,0']);
    expect(areas((await score([join(pictures, 'a.png'), '--format', 'csv'])).stdout)).toEqual([',,,,']);
    const args = [pictures, '--shard', '1/1', '--out', at('parts'), ...part];
    await score([...args, '--limit', '1']);
    await score([...args, '--resume']);
    const { stdout } = await runInProcess(['merge', at('parts'), '--format', 'csv']);
    expect(areas(stdout)).toEqual(['4,2,20,16,0', '4,2,20,16,0']);
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

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import { isFailed, type PictureScore } from '../../../src/engine/result.js';
import type { CraneError } from '../../../src/errors.js';
import { isThere } from '../../../src/files/write-whole.js';
import type { Model } from '../../../src/models/model-json.js';
import type { EngineWarning } from '../../../src/options/types.js';
import { collect, unending } from '../awaiting.js';
import { leave } from '../files/left.js';
import { makeFakeAddon } from './fake-addon.js';
import { useToyModel } from './toy-engine.js';
import { pixels, writePicture } from './toy-model.js';

const toy = useToyModel();

const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => ({ code: 'no error', message: '', hint: '' }),
    ({ code, message, hint = '' }: CraneError) => ({ code, message, hint }),
  );
const greys = (...values: number[]) => values.map((value) => pixels(value));

describe('learnNormals', () => {
  it('makes a bank that score compares with', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(100, 120));
    expect((await engine.score(pixels(110), { normals: bank })).score).toBeCloseTo(10 / 255, 5);
    expect((await engine.score(pixels(255), { normals: bank })).score).toBeCloseTo(135 / 255, 5);
    const plain = await engine.score(pixels(110));
    expect(plain.model).toBe(engine.facts.model);
    expect((await engine.score(pixels(110), { normals: bank })).model).not.toBe(plain.model);
  });

  it('names model, blocks, copies and pictures', async () => {
    const { engine, addon } = await toy.open();
    const path = await writePicture(toy.at('good.png'), 90);
    const bank = await engine.learnNormals([path, { input: pixels(3), name: 'three' }], {
      turns: 2,
      mirror: true,
    });
    expect(bank.facts).toEqual({
      model: 'toy',
      towers: expect.stringMatching(/^[0-9a-f]{64}$/),
      tower: 'vision',
      blocks: [3],
      turns: 2,
      mirror: true,
      pictures: [
        { name: path, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        { name: 'three', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ],
    });
    const learned = addon.log.prompts.filter(({ material }) => material.normals);
    expect(learned).toHaveLength(2);
    expect(learned[0]!.method).toMatchObject({ name: 'normals', bankBlocks: [3], turns: 2, mirror: true });
  });

  it('tells once where its pictures were turned as EXIF says and those that are scored are not, and the other way round', async () => {
    for (const exif of [true, false]) {
      const warnings: EngineWarning[] = [];
      const { engine } = await toy.open({ compat: { exif }, onWarning: (warning) => warnings.push(warning) });
      const bank = await engine.learnNormals(greys(100));
      expect(bank.facts.asStored).toBe(exif ? undefined : true);
      await engine.score(pixels(100), { normals: bank });
      expect(warnings).toEqual([]);
      for (let time = 0; time < 2; time++)
        await engine.score(pixels(100), { normals: bank, compat: { exif: !exif } });
      expect(warnings).toEqual([
        {
          code: 'W_NORMALS_TURNED',
          message: expect.stringContaining(
            exif
              ? 'were opened turned as EXIF says, and pictures are scored as they are stored'
              : 'were opened as they are stored, and pictures are scored turned as EXIF says',
          ),
        },
      ]);
    }
  });

  it('may be of a subspace, which its file says and the engine is told', async () => {
    const { engine, addon } = await toy.open();
    const bank = await engine.learnNormals(greys(1, 2), { bankKind: 'subspace', bankVariance: 0.95 });
    expect(bank.facts).toMatchObject({ kind: 'subspace', variance: 0.95 });
    const learned = addon.log.prompts.filter(({ material }) => material.normals);
    expect(learned.at(-1)!.method).toMatchObject({ bankKind: 'subspace', bankVariance: 0.95 });
    const rows = await engine.learnNormals(greys(1, 2));
    expect(rows.facts).not.toHaveProperty('kind');
    expect(rows.identity).not.toBe(bank.identity);
    expect(await faultOf(engine.mergeNormals([bank, rows]))).toMatchObject({ code: 'E_NORMALS' });
    const usual = await engine.learnNormals(greys(1, 2), { bankKind: 'subspace' });
    expect(usual.facts.variance).toBe(0.99);
    expect(usual.identity).not.toBe(bank.identity);
    await bank.save(toy.at('subspace'));
    const opened = await engine.openNormals(toy.at('subspace'));
    expect(opened.facts).toEqual(bank.facts);
    expect(addon.log.prompts.at(-1)!.method).toMatchObject({ bankKind: 'subspace' });
    expect(await faultOf(engine.learnNormals(greys(1), { bankVariance: 0.9 }))).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('bankVariance'),
    });
  });

  it('may have rows that are chosen or rounded, which its file says and the engine is told', async () => {
    const { engine, addon } = await toy.open();
    const some = await engine.learnNormals(greys(1, 2), { bankSize: 500, bankPrecision: 'float16' });
    expect(some.facts).toMatchObject({ size: 500, precision: 'float16' });
    const learned = addon.log.prompts.filter(({ material }) => material.normals);
    // Of all pictures together, not of each.
    expect(learned.at(-1)!.method).not.toHaveProperty('bankSize');
    expect(learned.at(-1)!.method).toMatchObject({ bankPrecision: 'float16' });
    expect(addon.log.prompts.at(-1)!.method).toMatchObject({ bankSize: 500 });
    await some.save(toy.at('chosen'));
    expect((await engine.openNormals(toy.at('chosen'))).facts).toEqual(some.facts);
    expect(addon.log.prompts.at(-1)!.method).toMatchObject({ bankSize: 500, bankPrecision: 'float16' });
    const all = await engine.learnNormals(greys(1, 2));
    expect(new Set([all.identity, some.identity]).size).toBe(2);
    for (const banks of [[some], [all, some]])
      expect(await faultOf(engine.mergeNormals(banks))).toMatchObject({
        code: 'E_NORMALS',
        message: expect.stringContaining('not chosen are gone'),
      });
    for (const idle of [{ bankSize: 5 }, { bankPrecision: 'float16' as const }])
      expect(await faultOf(engine.learnNormals(greys(1), { bankKind: 'subspace', ...idle }))).toMatchObject({
        code: 'E_USAGE',
        message: expect.stringContaining(Object.keys(idle)[0]!),
      });
    const own: Model = { ...toy.model(), normals: { kind: 'subspace', variance: 0.8 } };
    const other = await openEngine(makeFakeAddon(), own);
    expect((await other.learnNormals(greys(1))).facts).toMatchObject({ kind: 'subspace', variance: 0.8 });
    expect((await other.learnNormals(greys(1), { bankKind: 'nearest' })).facts).not.toHaveProperty('kind');
  });

  it('tells once that a rate holds approximately, with a subspace, chosen rows and beside prompts', async () => {
    const warnings: EngineWarning[] = [];
    const { engine } = await toy.open({ onWarning: (warning) => warnings.push(warning) });
    const rate = { falseAlarmRate: 0.3 };
    const rows = await engine.learnNormals(greys(1, 2, 3));
    await engine.score(pixels(2), { normals: rows, ...rate });
    expect(warnings).toEqual([]);
    const bank = await engine.learnNormals(greys(1, 2, 3), { bankKind: 'subspace' });
    await engine.score(pixels(2), { normals: bank });
    expect(warnings).toEqual([]);
    for (let time = 0; time < 2; time++) await engine.score(pixels(2), { normals: bank, ...rate });
    expect(warnings).toEqual([
      { code: 'W_RATE_APPROXIMATE', message: expect.stringContaining('with a subspace') },
    ]);
    const some = await engine.learnNormals(greys(1, 2, 3), { bankSize: 9 });
    await engine.score(pixels(2), { normals: some, ...rate });
    expect(warnings.pop()).toMatchObject({ message: expect.stringContaining('with chosen rows') });
    const { engine: other } = await toy.open({
      evidence: 'both',
      onWarning: (warning) => warnings.push(warning),
    });
    const both = await other.learnNormals(greys(1, 2, 3));
    await other.score(pixels(2), { normals: both, ...rate });
    expect(warnings[1]).toMatchObject({ message: expect.stringContaining('with prompts and good pictures') });
  });

  it('says how its pictures were read, and compares none that is read in another way', async () => {
    const { engine } = await toy.open({ bitDepth: 12 });
    const bank = await engine.learnNormals(greys(100));
    expect(bank.facts.reading).toEqual({ bitDepth: 12 });
    expect((await engine.score(pixels(100), { normals: bank })).score).toBeCloseTo(0, 5);
    for (const other of [
      { bitDepth: 'auto' },
      { valueRange: { low: 0, high: 9 } },
      { compat: { grey16: true } },
    ] as const)
      expect(await faultOf(engine.score(pixels(100), { ...other, normals: bank }))).toMatchObject({
        code: 'E_NORMALS',
        message: expect.stringContaining('its pictures were read {"bitDepth":12}'),
      });
    // How masks are read decides no pixel of a picture.
    const masks = { bitDepth: 12, compat: { maskGrey: true } };
    expect((await engine.score(pixels(100), { ...masks, normals: bank })).score).toBeCloseTo(0, 5);
    expect((await engine.learnNormals(greys(1), {})).identity).not.toBe(
      (await (await toy.open()).engine.learnNormals(greys(1))).identity,
    );
  });

  it('tells what was odd about its pictures, in a line for each kind', async () => {
    const { engine } = await toy.open();
    const told: string[][] = [];
    const flat = {
      data: new Uint16Array(4096).fill(300),
      width: 64,
      height: 64,
      channels: 1 as const,
      bits: 16,
    };
    await engine.learnNormals([flat, pixels(3)], { onNotes: (lines) => told.push(lines) });
    expect(told.flat().join('\n')).toContain('of 2 pictures, for instance <pixels>:');
    told.length = 0;
    await engine.learnNormals([await writePicture(toy.at('even.png'), 90)], {
      onNotes: (lines) => told.push(lines),
    });
    expect(told.length).toBeLessThanOrEqual(1);
  });

  it('compares as model.json says, and the caller before it', async () => {
    const own: Model = {
      ...toy.model(),
      normals: { topShare: 0.25, neighbours: 3, sigma: 1, promptMapWeight: 7 },
    };
    const engine = await openEngine(makeFakeAddon(), own);
    const ofBank = engine.settings({ evidence: 'normals' }).method;
    expect(ofBank).toMatchObject({ name: 'normals', topShare: 0.25, neighbours: 3, sigma: 1 });
    expect(ofBank).not.toHaveProperty('promptMapWeight');
    expect(engine.settings({ evidence: 'normals', neighbours: 1 }).method['neighbours']).toBe(1);
    expect(engine.settings({ evidence: 'both' }).method).toMatchObject({
      topShare: 0.25,
      promptMapWeight: 7,
      promptScoreWeight: 1,
    });
    expect(engine.settings().method).toEqual(own.method);
    const other = await openEngine(makeFakeAddon(), toy.model());
    expect(other.settings({ evidence: 'normals' }).method).toMatchObject({ topShare: 0.005, neighbours: 2 });
  });

  it('takes what model.json says, and the caller before it', async () => {
    const own: Model = { ...toy.model(), normals: { blocks: [1, 2], turns: 4 } };
    const engine = await openEngine(makeFakeAddon(), own);
    expect((await engine.learnNormals(greys(1))).facts).toMatchObject({
      blocks: [1, 2],
      turns: 4,
      mirror: false,
    });
    expect((await engine.learnNormals(greys(1), { bankBlocks: [4] })).facts).toMatchObject({
      blocks: [4],
      turns: 4,
    });
  });

  it('holds nothing of a bank that could not be finished', async () => {
    const { engine, addon } = await toy.open();
    const fault = await faultOf(engine.learnNormals([pixels(1), toy.at('missing.png')]));
    expect(fault).toMatchObject({ code: 'E_INPUT_NOT_FOUND' });
    expect(fault.message).toContain('missing.png');
    const made = addon.log.prompts.flatMap(({ material }, i) => (material.normals ? [i + 1] : []));
    expect(addon.log.removed).toEqual(made);
  });

  it('refuses no picture, what is no list, and unknown options', async () => {
    const { engine } = await toy.open();
    expect((await faultOf(engine.learnNormals([]))).code).toBe('E_NORMALS');
    expect((await faultOf(engine.learnNormals('good' as never))).code).toBe('E_USAGE');
    expect((await faultOf(engine.learnNormals(7 as never))).code).toBe('E_USAGE');
    expect((await faultOf(engine.learnNormals([], { turn: 8 } as never))).hint).toContain('"turns"');
    expect((await faultOf(engine.learnNormals([], { turns: 0 }))).message).toContain('from 1 to 360');
  });

  it('ends when its signal fires', async () => {
    const { engine } = await toy.open();
    const stop = new AbortController();
    const work = engine.learnNormals(greys(1, 2, 3), { signal: stop.signal, onProgress: () => stop.abort() });
    expect((await faultOf(work)).code).toBe('E_CANCELLED');
  });

  it('ends at once when its signal fires or its engine is disposed while no picture comes', async () => {
    const { engine } = await toy.open();
    const stop = new AbortController();
    const bySignal = faultOf(engine.learnNormals(unending(), { signal: stop.signal }));
    const byDispose = faultOf(engine.learnNormals(unending()));
    await new Promise(setImmediate);
    stop.abort();
    expect((await bySignal).code).toBe('E_CANCELLED');
    await engine.dispose();
    expect((await byDispose).code).toBe('E_DISPOSED');
  });
});

describe('a bank', () => {
  it('is saved whole, opened again and gives equal scores under an equal label', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(100, 120));
    const path = toy.at('kept', 'a.normals.safetensors');
    const [left, other] = [await leave(path), await leave(toy.at('kept', 'b.normals.safetensors'))];
    await bank.save(path);
    expect(await isThere(left)).toBe(false);
    await rm(other);
    expect(await readdir(toy.at('kept'))).toEqual(['a.normals.safetensors']);
    const read = await engine.openNormals(path);
    expect(read.facts).toEqual(bank.facts);
    const [a, b, c] = await Promise.all([
      engine.score(pixels(30), { normals: bank }),
      engine.score(pixels(30), { normals: read }),
      engine.score(pixels(30), { normals: path }),
    ]);
    expect([b.score, c.score]).toEqual([a.score, a.score]);
    expect(new Set([a.model, b.model, c.model]).size).toBe(1);
  });

  it('is never written over another file unless that is wanted', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(1));
    const path = toy.at('mine.txt');
    await writeFile(path, 'mine');
    expect((await faultOf(bank.save(path))).code).toBe('E_EXISTS');
    expect(await readFile(path, 'utf8')).toBe('mine');
    await bank.save(path, { overwrite: true });
    expect((await engine.openNormals(path)).identity).toBe(bank.identity);
    expect((await faultOf(bank.save(join(path, 'below')))).code).toBe('E_IO_WRITE');
  });

  it('is merged with others, whose pictures stay in order', async () => {
    const { engine } = await toy.open();
    const [a, b] = [await engine.learnNormals(greys(10)), await engine.learnNormals(greys(200))];
    const both = await engine.mergeNormals([a, b]);
    expect(both.facts.pictures).toEqual([...a.facts.pictures, ...b.facts.pictures]);
    expect((await engine.score(pixels(200), { normals: both })).score).toBe(0);
    const other = await engine.learnNormals(greys(10), { turns: 1 });
    expect((await faultOf(engine.mergeNormals([a, other]))).code).toBe('E_NORMALS');
    expect((await faultOf(engine.mergeNormals([]))).code).toBe('E_NORMALS');
    expect((await faultOf(engine.mergeNormals([{}] as never))).code).toBe('E_USAGE');
  });

  it('may be removed while pictures are compared with it, and is refused afterwards', async () => {
    const { engine, addon } = await toy.open();
    const bank = await engine.learnNormals(greys(10));
    const before = addon.log.removed.length;
    const scores = collect(engine.scoreMany(greys(1, 2, 3), { normals: bank, batch: 3 }));
    await new Promise((resolve) => setTimeout(resolve, 0));
    bank.remove();
    bank.remove();
    const failed = (await scores).filter(isFailed);
    for (const { error } of failed) expect(error.code).toBe('E_NORMALS');
    expect(addon.log.removed.length).toBe(before + 1);
    expect((await faultOf(engine.score(pixels(1), { normals: bank }))).code).toBe('E_NORMALS');
  });

  it('of another engine or another model is refused', async () => {
    const { engine } = await toy.open();
    const { engine: other } = await toy.open();
    const bank = await engine.learnNormals(greys(10));
    expect((await faultOf(other.score(pixels(1), { normals: bank }))).code).toBe('E_NORMALS');
    const path = toy.at('of-28.safetensors');
    await bank.save(path);
    const { engine: larger } = await toy.open({ size: 56 });
    expect(await faultOf(larger.score(pixels(1), { normals: path }))).toMatchObject({
      code: 'E_NORMALS',
      message: expect.stringContaining('another model'),
    });
  });

  it('that is damaged, foreign or missing is a coded error', async () => {
    const { engine } = await toy.open();
    const path = toy.at('damaged.safetensors');
    const bank = await engine.learnNormals(greys(10));
    await bank.save(path);
    const whole = JSON.parse(await readFile(path, 'utf8'));
    const key = 'crane.normals.facts';
    const facts = JSON.parse(whole.metadata[key]);
    const code = async (metadata: Record<string, string>) => {
      await writeFile(path, JSON.stringify({ ...whole, metadata }));
      return (await faultOf(engine.openNormals(path))).code;
    };
    expect(await code(whole.metadata)).toBe('no error');
    expect(await code({})).toBe('E_NORMALS');
    expect(await code({ [key]: 'no JSON' })).toBe('E_NORMALS');
    for (const wrong of [
      { towers: 'x' },
      { pictures: [] },
      { pictures: [{ name: 'a', sha256: 'b' }] },
      { turns: 0 },
      { blocks: 'all' },
      { strange: 1 },
    ])
      expect(await code({ [key]: JSON.stringify({ ...facts, ...wrong }) })).toBe('E_NORMALS');
    expect((await faultOf(engine.openNormals(toy.at('none')))).code).toBe('E_NORMALS');
    expect((await faultOf(engine.openNormals(toy.at()))).hint).toContain('--normals-from');
  });
});

describe('calls with banks', () => {
  it('mix banks in one batch, one for each picture', async () => {
    const { engine, addon } = await toy.open();
    const [dark, bright] = [await engine.learnNormals(greys(0)), await engine.learnNormals(greys(255))];
    const source = [
      { input: pixels(0), normals: dark },
      { input: pixels(0), normals: bright },
      { input: pixels(255), normals: bright },
    ];
    const results = await collect(engine.scoreMany(source, { method: 'normals', batch: 3 }));
    expect(results.map((result) => (result as PictureScore).score)).toEqual([0, 1, 0]);
    expect(addon.log.passes.at(-1)!.requests).toHaveLength(3);
  });

  it('take the default of the engine', async () => {
    const first = await toy.open();
    const path = toy.at('default.safetensors');
    await (await first.engine.learnNormals(greys(40))).save(path);
    const { engine } = await toy.open({ normals: path });
    const result = await engine.score(pixels(40));
    expect(result.score).toBe(0);
    expect(result.model).toBe(engine.facts.model);
  });

  it('refuse what would change nothing without a word', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(40));
    const code = async (options: object) => (await faultOf(engine.score(pixels(1), options))).code;
    expect(await code({ method: 'normals' })).toBe('E_USAGE');
    expect(await code({ normals: bank, method: 'crane' })).toBe('E_USAGE');
    expect(await code({ normals: bank, prompts: 'other' })).toBe('E_USAGE');
    expect(await code({ normals: bank, eAttn: 'vv' })).toBe('E_USAGE');
    expect(await code({ normals: bank, fit: 'tile' })).toBe('E_USAGE');
    expect(await code({ falseAlarmRate: 0.1 })).toBe('E_USAGE');
    expect(await code({ normals: 5 })).toBe('E_USAGE');
    const mixed = await collect(engine.scoreMany([{ input: pixels(1), normals: bank }]));
    expect(mixed[0]).toMatchObject({ error: { code: 'E_USAGE' } });
  });
});

describe('thresholds', () => {
  it('come from the bank without each picture, just above the score of the conformal rank', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(0, 10, 30, 100));
    // own distances 10, 10, 20, 70: with n = 4 and a rate of 0.2 the highest is the one
    const own = await engine.banks.ownScores(bank);
    expect(own.map(({ score }) => Math.round(score * 255))).toEqual([10, 10, 20, 70]);
    const options = { normals: bank, falseAlarmRate: 0.2, regions: true };
    const good = await engine.score(pixels(170), options);
    expect(good.threshold).toBeGreaterThan(70 / 255);
    expect(good.threshold).toBeCloseTo(70 / 255, 12);
    expect(good.anomalous).toBe(false);
    expect((await engine.score(pixels(171), options)).anomalous).toBe(true);
    expect((await engine.score(pixels(171), options)).regions).toHaveLength(1);
    // 0.4: the next lower rank
    expect((await engine.score(pixels(1), { ...options, falseAlarmRate: 0.4 })).threshold).toBeCloseTo(
      20 / 255,
      12,
    );
    expect((await engine.score(pixels(1), { ...options, threshold: 0.7 })).threshold).toBe(0.7);
    expect((await engine.score(pixels(1), { normals: bank })).threshold).toBeNull();
  });

  it('leave a bank free after settings that were refused', async () => {
    const { engine, addon } = await toy.open();
    const bank = await engine.learnNormals(greys(0, 10));
    const refused = engine.banks.ownScores(bank, { prompts: 'other' });
    expect((await faultOf(refused)).code).toBe('E_USAGE');
    const before = addon.log.removed.length;
    bank.remove();
    expect(addon.log.removed.length).toBe(before + 1);
  });

  it('say how many pictures a rate would need', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(0, 10, 30, 100));
    const fault = await faultOf(engine.score(pixels(1), { normals: bank, falseAlarmRate: 0.05 }));
    expect(fault.code).toBe('E_CALIBRATE_TOO_FEW');
    expect(fault.message).toContain('at least 19');
  });
});

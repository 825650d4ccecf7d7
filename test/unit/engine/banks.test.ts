import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFailed, type PictureScore } from '../../../src/engine/result.js';
import { CraneError } from '../../../src/errors.js';
import { isThere } from '../../../src/files/write-whole.js';
import type { EngineWarning } from '../../../src/options/types.js';
import { codeOf, collect, faultOf } from '../awaiting.js';
import { leave } from '../files/left.js';
import { useToyModel } from './toy-engine.js';
import { pixels } from './toy-model.js';

const toy = useToyModel();

const greys = (...values: number[]) => values.map((value) => pixels(value));

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
    // biome-ignore lint/suspicious/noSparseArray: what is refused
    expect((await faultOf(engine.mergeNormals([a, , b] as never))).code).toBe('E_USAGE');
  });

  it('takes each picture once: a copy is not learned, nor a bank joined that brings none', async () => {
    const warnings: EngineWarning[] = [];
    const { engine, addon } = await toy.open({ onWarning: (warning) => warnings.push(warning) });
    const rate = { falseAlarmRate: 0.2 };
    const told: string[][] = [];
    const done: number[] = [];
    const one = pixels(10);
    const few = await engine.learnNormals([one, one, { input: one, name: 'again' }, pixels(20)], {
      onNotes: (lines) => told.push(lines),
      onProgress: (count) => done.push(count),
    });
    expect(few.facts.pictures.map(({ name }) => name)).toEqual(['<pixels>', '<pixels>']);
    expect(told[0]![0]).toContain('2 of 4 pictures, for instance <pixels>: the content of another one');
    expect(done).toEqual([1, 2, 3, 4]);
    expect(addon.log.prompts.filter(({ material }) => material.normals)).toHaveLength(2);
    expect(await codeOf(engine.score(pixels(12), { normals: few, ...rate }))).toBe('E_CALIBRATE_TOO_FEW');

    const bank = await engine.learnNormals(greys(10, 20, 40, 80));
    const twice = await engine.mergeNormals([bank, bank]);
    expect(twice.identity).toBe(bank.identity);
    expect(warnings).toEqual([
      { code: 'W_NORMALS_COPIES', message: expect.stringContaining('1 of 2 banks left out') },
    ]);
    const [own, joined] = await Promise.all(
      [bank, twice].map((normals) => engine.score(pixels(12), { normals, ...rate })),
    );
    expect(joined!.threshold).toBe(own!.threshold);
    const narrow = { normals: twice, falseAlarmRate: 0.12 };
    expect(await codeOf(engine.score(pixels(12), narrow))).toBe('E_CALIBRATE_TOO_FEW');
  });

  it('chooses thresholds from pictures without a copy in it, and says so once', async () => {
    const warnings: EngineWarning[] = [];
    const { engine } = await toy.open({ onWarning: (warning) => warnings.push(warning) });
    const [a, b] = [
      await engine.learnNormals(greys(10, 20, 40, 80, 140)),
      await engine.learnNormals(greys(40, 80, 141)),
    ];
    const joined = await engine.mergeNormals([a, b]);
    expect(joined.facts.pictures).toHaveLength(8);
    const copies = { code: 'W_NORMALS_COPIES', message: expect.stringContaining('rests on the other 4.') };
    expect(warnings).toEqual([copies]);
    // Of 10, 20, 140 and 141: those of 40 and 80 would be 0.
    const scored = await engine.score(pixels(12), { normals: joined, falseAlarmRate: 0.2 });
    expect(scored.threshold).toBeCloseTo(10 / 255, 5);
    const atLeast = { normals: joined, falseAlarmRate: 0.15 };
    expect(await codeOf(engine.score(pixels(12), atLeast))).toBe('E_CALIBRATE_TOO_FEW');
    expect(warnings).toEqual([copies]);

    // A file that holds copies, as earlier versions wrote them.
    await joined.save(toy.at('copies'));
    const { engine: other } = await toy.open({ onWarning: (warning) => warnings.push(warning) });
    await other.score(pixels(12), { normals: toy.at('copies') });
    expect(warnings).toHaveLength(1);
    await other.score(pixels(12), { normals: toy.at('copies'), falseAlarmRate: 0.2 });
    expect(warnings).toEqual([copies, copies]);
  });

  it('says of itself what nobody can change', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals([{ input: pixels(1), name: 'one' }]);
    expect(() => {
      bank.facts.pictures[0]!.name = 5 as never;
    }).toThrow(TypeError);
    expect(() => bank.facts.blocks.push(1)).toThrow(TypeError);
    expect(() => {
      (bank as { facts: unknown }).facts = {};
    }).toThrow(TypeError);
    await bank.save(toy.at('unchanged'));
    expect((await engine.openNormals(toy.at('unchanged'))).facts).toEqual(bank.facts);
  });

  it('is saved to a path, and with options that are known', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(1));
    const path = toy.at('saved');
    await bank.save(path);
    for (const [given, message] of [
      [[], 'a path'],
      [[5], 'a path'],
      [[''], 'a path'],
      [[path, null], 'an object'],
      [[path, { overwrite: 'false' }], 'true or false for overwrite'],
      [[path, { overwrit: true }], 'no option "overwrit"'],
      [[`${toy.at('x')}\0y`], 'a path for the file of the bank'],
    ] as const)
      expect(await faultOf(bank.save(...(given as unknown as [string]))), message).toMatchObject({
        code: 'E_USAGE',
        message: expect.stringContaining(message),
      });
    expect((await readdir(toy.at())).filter((name) => name.startsWith('.'))).toEqual([]);
    bank.remove();
    expect((await faultOf(bank.save(path, { overwrite: true }))).message).toContain('was removed');
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
    // Found by the native reader alone: an error of the library all the same.
    await writeFile(path, JSON.stringify({ metadata: whole.metadata }));
    const native: unknown = await engine.openNormals(path).catch((thrown: unknown) => thrown);
    expect(native).toBeInstanceOf(CraneError);
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

  it('a bank of one picture holds none: it has no other to be compared with', async () => {
    const { engine } = await toy.open();
    const bank = await engine.learnNormals(greys(10));
    expect(await faultOf(engine.score(pixels(1), { normals: bank, falseAlarmRate: 0.5 }))).toMatchObject({
      code: 'E_CALIBRATE_TOO_FEW',
      message: expect.stringContaining('it has no other to be compared with'),
    });
  });
});

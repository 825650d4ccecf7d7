import { describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import type { Model } from '../../../src/models/model-json.js';
import type { EngineWarning } from '../../../src/options/types.js';
import { faultOf, unending } from '../awaiting.js';
import { makeFakeAddon } from './fake-addon.js';
import { useToyModel } from './toy-engine.js';
import { pixels, writePicture } from './toy-model.js';

const toy = useToyModel();

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
    const entry = (fields: object) => faultOf(engine.learnNormals([{ input: pixels(1), ...fields }]));
    expect(await entry({ name: 5 })).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('a string for name'),
    });
    expect(await entry({ nam: 'x' })).toMatchObject({ code: 'E_USAGE', hint: 'did you mean "name"?' });
    expect(await entry({ name: undefined })).toMatchObject({ code: 'no error' });
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

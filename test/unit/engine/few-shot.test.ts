/** Methods that keep normal pictures beside their texts, and what of a class stays with its data set. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import type { CraneError } from '../../../src/errors.js';
import { evaluateIn } from '../../../src/evaluate/evaluate-data-sets.js';
import { runText } from '../../../src/evaluate/outputs/text-table.js';
import { rangesOf } from '../../../src/methods/registry.js';
import type { Model } from '../../../src/models/model-json.js';
import type { EngineOptions } from '../../../src/options/types.js';
import { plain } from '../../../src/terminal/paint.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { writeToySet } from '../train/toy-set.js';
import { useWorkplace } from '../train/workplace.js';
import { makeFakeAddon } from './fake-addon.js';
import { makeToyFolder, makeToyModel, pixels, writePicture } from './toy-model.js';

let folder: string;
let model: Model;
beforeAll(async () => {
  folder = await makeToyFolder();
  model = await makeToyModel(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function open(options: EngineOptions = {}) {
  const addon = makeFakeAddon();
  const engine = await openEngine(addon, model, { method: 'winclip', className: 'nut', ...options });
  return { addon, engine };
}
const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => ({ code: 'no error', message: '', hint: '' }),
    ({ code, message, hint = '' }: CraneError) => ({ code, message, hint }),
  );

describe('the memory of a method', () => {
  it("has other scores, so that the model's own threshold is not for it", async () => {
    const { defaultMethod } = await import('../../../src/methods/registry.js');
    const own = { ...model, method: defaultMethod('winclip'), threshold: 0.3, mapThreshold: 0.2 };
    const engine = await openEngine(makeFakeAddon(), own, { className: 'nut' });
    expect(engine.settings()).toMatchObject({ threshold: 0.3, mapThreshold: 0.2 });
    const normals = await engine.learnNormals([{ input: pixels(3), name: 'three' }]);
    expect(engine.settings({ normals })).toMatchObject({ threshold: null, mapThreshold: null });
  });

  it('is learned picture by picture without texts, and stands beside them', async () => {
    const { engine, addon } = await open();
    const path = await writePicture(join(folder, 'good.png'), 90);
    const plain = await engine.score(pixels(10), { map: true });
    const before = addon.log.prompts.length;
    const memory = await engine.learnNormals([path, { input: pixels(3), name: 'three' }]);
    expect(memory.facts).toMatchObject({
      method: 'winclip',
      settings: { windowSides: [2, 3] },
      pictures: [
        { name: path, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        { name: 'three', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ],
    });
    const few = await engine.score(pixels(10), { normals: memory, map: true });
    await engine.score(pixels(11), { normals: memory });
    const [first, second, joined, used, ...more] = addon.log.prompts.slice(before);
    expect(more).toEqual([]);
    for (const one of [first!, second!]) {
      expect(one.material).toMatchObject({ texts: {}, files: {}, normals: [{}] });
      expect(one.method).toMatchObject({ name: 'winclip', windowSides: [2, 3] });
    }
    expect(joined!.material).toEqual({
      texts: {},
      files: {},
      contexts: { memory: [before + 1, before + 2] },
    });
    expect(used!.material.contexts).toEqual({ memory: [before + 3] });
    expect(used!.material.texts['normal']).toHaveLength(154);
    expect(few.model).not.toBe(plain.model);
    expect((await engine.score(pixels(10))).model).toBe(plain.model);
  });

  it('decides the label by its pictures', async () => {
    const { engine } = await open();
    const [a, again, b] = [
      await engine.learnNormals([pixels(1), pixels(2)]),
      await engine.learnNormals([pixels(1), pixels(2)]),
      await engine.learnNormals([pixels(1), pixels(3)]),
    ];
    const labels = [];
    for (const normals of [a!, again!, b!]) labels.push((await engine.score(pixels(9), { normals })).model);
    expect(labels[1]).toBe(labels[0]);
    expect(labels[2]).not.toBe(labels[0]);
    const { method } = engine.settings();
    expect(rangesOf({ method, normals: a })).toEqual({ score: [0, 0.5], map: [0, 0.5] });
  });

  it('is freed with all that was made with it', async () => {
    const { engine, addon } = await open();
    const memory = await engine.learnNormals([pixels(1)]);
    const before = addon.log.prompts.length;
    for (const className of ['nut', 'bolt', 'nut'])
      await engine.score(pixels(9), { normals: memory, className });
    expect(addon.log.prompts.length - before).toBe(2);
    memory.remove();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(addon.log.removed).toEqual(expect.arrayContaining([before, before + 1, before + 2]));
    expect((await faultOf(engine.score(pixels(9), { normals: memory }))).code).toBe('E_NORMALS');
  });

  it('is joined with others', async () => {
    const { engine } = await open();
    const [a, b] = [await engine.learnNormals([pixels(1)]), await engine.learnNormals([pixels(2)])];
    const both = await engine.mergeNormals([a, b]);
    const together = await engine.learnNormals([pixels(1), pixels(2)]);
    expect(both.identity).toBe(together.identity);
    expect(both.facts.method).toBe('winclip');
  });

  it('of another method, of other settings or a bank is refused', async () => {
    const { engine } = await open();
    const { engine: plain } = await open({ method: 'normals', className: undefined as never });
    const memory = await engine.learnNormals([pixels(1)]);
    const score = (options: object) => faultOf(engine.score(pixels(9), { normals: memory, ...options }));
    const { engine: bare } = await open({ className: undefined as never });
    const own = await bare.learnNormals([pixels(1)]);
    expect(await faultOf(bare.score(pixels(9), { normals: own, method: 'normals' }))).toMatchObject({
      code: 'E_NORMALS',
      message: expect.stringContaining('learned for method winclip'),
    });
    expect(await score({ windowSides: [2] })).toMatchObject({
      code: 'E_NORMALS',
      message: expect.stringContaining('{"windowSides":[2,3]}'),
    });
    const file = join(folder, 'bank.safetensors');
    await (await plain.learnNormals([pixels(1)])).save(file, { overwrite: true });
    expect(await score({ normals: file })).toMatchObject({
      code: 'E_NORMALS',
      message: expect.stringContaining('learned for method normals'),
      hint: expect.stringContaining('normals learn --method winclip'),
    });
    const { engine: crane } = await open({ method: 'crane', className: undefined as never });
    const bank = await crane.learnNormals([pixels(1)]);
    expect(bank.facts.method).toBeUndefined();
    expect((await faultOf(crane.score(pixels(9), { normals: bank, method: 'crane' }))).code).toBe('E_USAGE');
  });

  describe('as a file', () => {
    const file = () => join(folder, 'memory.safetensors');
    const saved = async (options: EngineOptions = {}) => {
      const { engine } = await open(options);
      const memory = await engine.learnNormals([pixels(1), pixels(2)]);
      await memory.save(file(), { overwrite: true });
      return { engine, memory };
    };
    /** The file with other words about itself. */
    const retold = async (change: object) => {
      await saved();
      const content = JSON.parse(await readFile(file(), 'utf8'));
      const facts = { ...JSON.parse(content.metadata['crane.normals.facts']), ...change };
      content.metadata['crane.normals.facts'] = JSON.stringify(facts);
      await writeFile(file(), JSON.stringify(content));
    };

    it('stands beside the texts as the memory itself, by its path too, and is extended', async () => {
      const { engine, memory } = await saved();
      const { engine: other, addon } = await open();
      const opened = await other.openNormals(file());
      expect(opened.facts).toEqual(memory.facts);
      expect(opened.identity).toBe(memory.identity);
      expect(addon.log.prompts.at(-1)).toMatchObject({
        material: { texts: {}, files: { memory: file() } },
        method: { name: 'winclip', windowSides: [2, 3] },
      });
      const { model: label } = await engine.score(pixels(9), { normals: memory });
      for (const normals of [opened, file()])
        expect((await other.score(pixels(9), { normals })).model).toBe(label);
      const more = await other.mergeNormals([opened, await other.learnNormals([pixels(3)])]);
      expect(more.facts.pictures).toHaveLength(3);
    });

    it('is refused for another method and for other settings', async () => {
      await saved({ windowSides: [2] });
      const { engine } = await open();
      expect(await faultOf(engine.score(pixels(9), { normals: file() }))).toMatchObject({
        code: 'E_NORMALS',
        message: expect.stringContaining('{"windowSides":[2]}'),
      });
      const { engine: bare } = await open({ className: undefined as never, method: 'normals' });
      expect(await faultOf(bare.score(pixels(9), { normals: file() }))).toMatchObject({
        code: 'E_NORMALS',
        hint: expect.stringContaining('--method winclip'),
      });
    });

    it.each([
      [{ method: 'anovl' }, 'keeps no normal pictures'],
      [{ method: 'nobody' }, 'keeps no normal pictures'],
      [{ method: '__proto__' }, 'keeps no normal pictures'],
      [{ method: 'vand' }, 'are no settings'],
      [{ settings: {} }, 'are no settings'],
      [{ settings: { windowSides: 'two' } }, 'are no settings'],
      [{ settings: { windowSides: [0] } }, 'are no settings'],
      [{ settings: { windowSides: [2], sigma: 4 } }, 'are no settings'],
      [{ settings: undefined }, 'damaged: settings'],
      [{ method: undefined }, 'damaged: settings'],
      [{ towers: '0'.repeat(64) }, 'another model'],
    ])('that says %j of itself is refused', async (change, message) => {
      await retold(change);
      const { engine } = await open();
      expect(await faultOf(engine.score(pixels(9), { normals: file() }))).toMatchObject({
        code: 'E_NORMALS',
        message: expect.stringContaining(message),
      });
    });
  });

  it('refuses what would change nothing', async () => {
    const { engine } = await open();
    const memory = await engine.learnNormals([pixels(1)]);
    const score = (options: object) => faultOf(engine.score(pixels(9), { normals: memory, ...options }));
    expect(await score({ falseAlarmRate: 0.1 })).toMatchObject({ code: 'E_USAGE' });
    expect(await score({ fit: 'tile' })).toMatchObject({ code: 'E_USAGE' });
    expect(await faultOf(engine.learnNormals([pixels(1)], { turns: 4 }))).toMatchObject({
      code: 'E_USAGE',
      message: expect.stringContaining('turns'),
    });
    expect(await faultOf(engine.learnNormals([]))).toMatchObject({ code: 'E_NORMALS' });
  });
});

describe('a test', () => {
  const work = useWorkplace();
  const opened = async (options: EngineOptions) => {
    const addon = makeTestAddon();
    return { addon, engine: await openEngine(addon, work.model, options) };
  };

  it('with a memory says which pictures, and warns of those that are tested', async () => {
    const { engine } = await opened({ method: 'winclip' });
    const normals = await engine.learnNormals([pixels(1), { input: pixels(2), name: 'two' }]);
    const run = await evaluateIn(
      { engine, data: work.set, bootstrap: 50, report: false, normals, comparePaper: true },
      work.env,
    );
    expect(run.settings.normals).toEqual({ sha256: normals.identity, pictures: normals.facts.pictures });
    expect(runText(run, plain)).toContain('compared with 2 normal pictures');
    await engine.dispose();
  });

  it('scales over a class what is published so, and only with normal pictures', async () => {
    const prompts = work.at('heads.pth');
    await writeFile(prompts, 'heads');
    const { addon, engine } = await opened({ method: 'vand', prompts });
    const scaled = { compat: { classMinMax: true }, batch: 2, bootstrap: 50, report: false };
    const passes = async (more: object) => {
      const before = addon.log.passes.length;
      await evaluateIn({ engine, data: work.set, ...scaled, ...more }, work.env);
      return addon.log.passes.slice(before).map(({ requests }) => requests.length);
    };
    const alone = await passes({});
    const all = alone.reduce((sum, count) => sum + count, 0);
    expect(alone.length).toBeGreaterThan(1);
    expect(await passes({ normals: await engine.learnNormals([pixels(1)]) })).toEqual([all]);
    await engine.dispose();
  });

  it('begins anew with each class of each data set what a method carries on', async () => {
    const other = await writeToySet(work.at('other'));
    const { addon, engine } = await opened({ method: 'anovl' });
    const encoded = async (more: object) => {
      const before = addon.log.prompts.length;
      const data = [work.set, other];
      await evaluateIn({ engine, data, bootstrap: 50, report: false, ...more }, work.env);
      return addon.log.prompts.length - before;
    };
    const carried = { compat: { carriedState: true } };
    expect(await encoded(carried)).toBe(2);
    expect(await encoded(carried)).toBe(2);
    expect(await encoded({})).toBe(1);
    await engine.dispose();
  });
});

/** A model's folder while it is changed: nothing that the model names is ever lost, wherever a change ends. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KeepOptions, keepInCopy, keepWithModel } from '../../../src/calibrate/store.js';
import { sha256OfFile } from '../../../src/files/content-hash.js';
import { crane } from '../../../src/methods/crane.js';
import type { Calibration } from '../../../src/models/calibration.js';
import { checkKept, keepSet } from '../../../src/models/keep-set.js';
import { type Model, modelFile, readModelJson } from '../../../src/models/model-json.js';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';

/** The next renaming to a path with this end fails, as on a full disk. */
const fault = vi.hoisted(() => ({ at: undefined as string | undefined }));
vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>();
  const rename = async (from: string, to: string) => {
    if (fault.at === undefined || !to.endsWith(fault.at)) return real.rename(from, to);
    fault.at = undefined;
    throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'rename' });
  };
  return { ...real, rename };
});

let root: string;
let model: Model;
let learned: string;
let round = 0;
beforeAll(async () => {
  root = await makeToyFolder();
  learned = join(root, 'learned.safetensors');
  await writeFile(learned, 'learned');
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  fault.at = undefined;
  model = await makeToyModel(join(root, `model-${++round}`));
});

const keep = (name: string, overwrite = false, file = learned) =>
  keepSet(model, file, { name, method: crane, learnedOn: ['mine'], overwrite });
const described = () => readModelJson(join(model.folder, 'model.json'));
/** Every file that model.json names has the content that it says. */
const expectWhole = async (folder = model.folder) => {
  const { weights, prompts } = await readModelJson(join(folder, 'model.json'));
  for (const { file, sha256 } of Object.values(prompts.sets))
    expect(await sha256OfFile(join(folder, file)), file).toBe(sha256);
  for (const { file } of weights) expect(await readFile(join(folder, file), 'utf8')).toBe('weights');
};

describe('a set that is kept', () => {
  it.each(['weights', 'prompts', 'other-file'])(
    'never takes the place of a file of that name: %s',
    async (name) => {
      await writeFile(modelFile(model, 'other-file.safetensors'), "the user's");
      await keep(name);
      await expectWhole();
      expect(await readFile(modelFile(model, 'other-file.safetensors'), 'utf8')).toBe("the user's");
      const { file, learnedOn } = (await described()).prompts.sets[name]!;
      expect(await readFile(modelFile(model, file), 'utf8')).toBe('learned');
      expect(learnedOn).toEqual(['mine']);
    },
  );

  it('replaces another of its name only when told, whose file goes', async () => {
    await keep('mine');
    const before = (await described()).prompts.sets['mine']!.file;
    expect(() =>
      checkKept({ ...model, prompts: { sets: { mine: {} as never } } }, { name: 'mine', overwrite: false }),
    ).toThrow(expect.objectContaining({ code: 'E_EXISTS' }));
    const newer = join(root, 'newer.safetensors');
    await writeFile(newer, 'newer');
    await expect(keep('mine', false, newer)).rejects.toMatchObject({ code: 'E_EXISTS' });
    await keep('mine', true, newer);
    await expectWhole();
    expect(await readdir(model.folder)).not.toContain(before);
    // The file of the model's default set is that of another one too: it stays.
    const json = JSON.parse(await readFile(modelFile(model, 'model.json'), 'utf8'));
    json.prompts.sets.alias = json.prompts.sets.plain;
    await writeFile(modelFile(model, 'model.json'), JSON.stringify(json));
    await keep('plain', true, newer);
    await expectWhole();
  });

  it('leaves the older one whole when model.json cannot be written', async () => {
    await keep('mine');
    const before = await readFile(modelFile(model, 'model.json'), 'utf8');
    const newer = join(root, 'newest.safetensors');
    await writeFile(newer, 'newest');
    fault.at = 'model.json';
    await expect(keep('mine', true, newer)).rejects.toMatchObject({ code: 'E_IO_WRITE' });
    expect(await readFile(modelFile(model, 'model.json'), 'utf8')).toBe(before);
    await expectWhole();
  });
});

describe('a calibration', () => {
  const bestF1 = {
    f1: 1,
    precision: 1,
    recall: 1,
    f1Unseen: null,
    interval: { low: 0, high: 1, level: 0.95 },
  };
  const calibration: Calibration = {
    settings: 'toy@0123456789ab',
    date: '2026-01-01T00:00:00.000Z',
    prompts: null,
    data: { name: 'parts', split: 'test', hash: 'x' },
    pictures: { normal: 1, anomalous: 1, withMask: 0, failed: 0 },
    learnedOn: null,
    rule: 'best-f1',
    image: { threshold: 0.25, ...bestF1 },
    map: null,
  };
  const options = (): KeepOptions => ({ model, calibration, isOwnSettings: true, env: {} });

  it('and a set that is kept at the same time are both there', async () => {
    await Promise.all([keepWithModel(options()), keep('mine'), keep('ours')]);
    const { threshold, prompts } = await described();
    expect([threshold, Object.keys(prompts.sets)]).toEqual([0.25, expect.arrayContaining(['mine', 'ours'])]);
    expect(await readdir(model.folder)).not.toContain('model.json.lock');
  });

  it('in a copy takes the place of an older copy in one step, which stays when that fails', async () => {
    const out = join(root, `copy-${round}`);
    await keepInCopy(out, false, options());
    const before = await readFile(join(out, 'model.json'), 'utf8');
    fault.at = `copy-${round}`;
    await expect(keepInCopy(out, true, options())).rejects.toMatchObject({ code: 'E_IO_WRITE' });
    expect(await readFile(join(out, 'model.json'), 'utf8')).toBe(before);
    await expectWhole(out);
    await keepInCopy(out, true, options());
    await expectWhole(out);
    expect((await readdir(root)).filter((name) => name.includes(`copy-${round}`))).toHaveLength(1);
  });
});

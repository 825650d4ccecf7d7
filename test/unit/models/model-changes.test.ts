/** A model's folder while it is changed: nothing that the model names is ever lost, wherever a change ends. */
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KeepOptions, keepInCopy, keepWithModel } from '../../../src/calibrate/store.js';
import { sha256OfFile } from '../../../src/files/content-hash.js';
import type { LockWait } from '../../../src/files/folder-lock.js';
import { crane } from '../../../src/methods/crane.js';
import type { Calibration } from '../../../src/models/calibration.js';
import { checkKept, keepSet } from '../../../src/models/keep-set.js';
import { type Model, modelFile, readModelJson } from '../../../src/models/model-json.js';
import { makeToyFolder, makeToyModel } from '../engine/toy-model.js';
import { deadProcess } from '../files/left.js';

/** Which renamings fail, as on a full disk. */
type Fails = (from: string, to: string) => boolean;
const fault = vi.hoisted(() => ({ at: undefined as Fails | undefined }));
vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>();
  const rename = async (from: string, to: string) => {
    if (!fault.at?.(from, to)) return real.rename(from, to);
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

/** The next renaming to a path with this end. */
const failsOnce = (end: string) => {
  fault.at = (_, to) => {
    if (!to.endsWith(end)) return false;
    fault.at = undefined;
    return true;
  };
};
const quiet = { log: () => {} };
const keep = (name: string, overwrite = false, file = learned, waiting: LockWait = quiet) =>
  keepSet(model, file, { name, method: crane, learnedOn: ['mine'], overwrite }, waiting);
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
    failsOnce('model.json');
    await expect(keep('mine', true, newer)).rejects.toMatchObject({ code: 'E_IO_WRITE' });
    expect(await readFile(modelFile(model, 'model.json'), 'utf8')).toBe(before);
    await expectWhole();
  });

  it('says for whom it waits, and waits no longer than its signal says', async () => {
    const holder = { pid: process.ppid, host: os.hostname(), id: 'x' };
    await writeFile(modelFile(model, 'model.json.lock'), JSON.stringify(holder));
    const stop = new AbortController();
    const lines: string[] = [];
    const log = (line: string) => {
      lines.push(line);
      stop.abort();
    };
    await expect(keep('mine', false, learned, { log, signal: stop.signal })).rejects.toMatchObject({
      code: 'E_CANCELLED',
    });
    expect(lines).toEqual([expect.stringContaining(`process ${holder.pid} on`)]);
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
    await Promise.all([keepWithModel(options(), quiet), keep('mine'), keep('ours')]);
    const { threshold, prompts } = await described();
    expect([threshold, Object.keys(prompts.sets)]).toEqual([0.25, expect.arrayContaining(['mine', 'ours'])]);
    expect(await readdir(model.folder)).not.toContain('model.json.lock');
  });

  it('in a copy takes the place of an older copy in one step, which stays when that fails', async () => {
    const out = join(root, `copy-${round}`);
    await keepInCopy(out, false, options());
    const before = await readFile(join(out, 'model.json'), 'utf8');
    failsOnce(`copy-${round}`);
    await expect(keepInCopy(out, true, options())).rejects.toMatchObject({ code: 'E_IO_WRITE' });
    expect(await readFile(join(out, 'model.json'), 'utf8')).toBe(before);
    await expectWhole(out);
    await keepInCopy(out, true, options());
    await expectWhole(out);
    expect((await readdir(root)).filter((name) => name.includes(`copy-${round}`))).toHaveLength(1);
  });

  /** Ends as a process that is killed between the two steps. @returns what it set aside */
  const killedBetween = async (out: string): Promise<string> => {
    const before = new Set(await readdir(root));
    fault.at = (_, to) => to === out;
    await expect(keepInCopy(out, true, options())).rejects.toMatchObject({ code: 'E_IO_WRITE' });
    fault.at = undefined;
    const [name] = (await readdir(root)).filter((each) => !before.has(each));
    const left = join(root, name!.replace(`-${process.pid}-`, `-${deadProcess()}-`));
    await rename(join(root, name!), left);
    return left;
  };
  const hiddenOf = async (out: string) =>
    (await readdir(root)).filter((name) => name.startsWith(`.${basename(out)}`));

  it('is put back where a process was killed between the two steps', async () => {
    const out = join(root, `cut-${round}`);
    await keepInCopy(out, false, options());
    await writeFile(join(out, 'mine.txt'), 'kept');
    await killedBetween(out);
    await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(keepInCopy(out, false, options())).rejects.toMatchObject({ code: 'E_EXISTS' });
    expect(await readFile(join(out, 'mine.txt'), 'utf8')).toBe('kept');
    await expectWhole(out);
    expect(await hiddenOf(out)).toEqual([]);
  });

  it('is not put back where another is in its place, nor as another of a similar name', async () => {
    const out = join(root, `${'long name '.repeat(6)}${round}`);
    await keepInCopy(out, false, options());
    const left = await killedBetween(out);
    await keepInCopy(`${out} b`, false, options());
    expect(await readdir(left)).toContain('model.json');
    await cp(left, out, { recursive: true });
    await writeFile(join(out, 'mine.txt'), 'newer');
    await expect(keepInCopy(out, false, options())).rejects.toMatchObject({ code: 'E_EXISTS' });
    expect(await readFile(join(out, 'mine.txt'), 'utf8')).toBe('newer');
    await expectWhole(out);
    expect((await readdir(root)).filter((name) => name.startsWith('.long name'))).toEqual([]);
  });

  it('that cannot be deleted when the new one is in place is no failure', async () => {
    const out = join(root, `stays-${round}`);
    await keepInCopy(out, false, options());
    fault.at = (from) => from.includes('.old.');
    await keepInCopy(out, true, options());
    await expectWhole(out);
  });
});

import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WeightFileInfo } from '../../../../src/addon/native.js';
import type { CraneError } from '../../../../src/errors.js';
import { findModel } from '../../../../src/models/find-model.js';
import { type ModelDescription, readModelJson } from '../../../../src/models/model-json.js';
import type { AddressTable } from '../../../../src/models/weights/addresses.js';
import { type PullRequest, pull } from '../../../../src/models/weights/pull.js';
import { type FileServer, startFileServer } from './file-server.js';
import { dinov2Info, noise, openWorkplace, publicFile, sha256, type Workplace } from './workplace.js';

const content = noise(5_000);
const promptInfo = (width: number): WeightFileInfo => ({
  container: 'torch-zip',
  naming: 'prompts',
  prefix: '',
  beside: 0,
  files: [],
  metadata: {},
  tensors: [{ name: 'prompt_learner.ctx_pos', shape: [1, 1, 12, width], dtype: 'f32', bytes: 0 }],
});
let server: FileServer;
let place: Workplace;
let table: AddressTable;
beforeEach(async () => {
  const infoOf = async (path: string) => {
    if (/narrow/.test(path)) return promptInfo(384);
    return /epoch|own/i.test(path) ? promptInfo(768) : dinov2Info(768, 12);
  };
  place = await openWorkplace({ verifyWeights: infoOf, inspectWeights: infoOf });
  server = await startFileServer(content, place.cache);
  // All files have the same bytes: what matters here is which of them goes where.
  const file = (name: string, facts = {}) =>
    publicFile(server.url, { name, file: `${name}.bin`, sha256: sha256(content), ...facts });
  const { sha256: _none, ...unhashed } = file('dino', { licence: 'Apache-2.0' });
  table = {
    files: [
      file('clip'),
      unhashed,
      file('authors-mvtec', { sha256: sha256(content), learnedOn: ['mvtec'] }),
      file('authors-visa', { learnedOn: ['visa'] }),
    ],
    models: [
      {
        name: 'crane',
        kind: 'crane',
        what: 'Crane',
        weights: 'clip',
        prompts: [
          { set: 'mvtec', file: 'authors-mvtec' },
          { set: 'visa', file: 'authors-visa' },
        ],
      },
      {
        name: 'crane+',
        kind: 'crane+',
        what: 'Crane+',
        weights: 'clip',
        source: 'dino',
        prompts: [{ set: 'mvtec', file: 'authors-mvtec' }],
      },
      { name: 'winclip', kind: { method: 'winclip' }, what: 'WinCLIP', weights: 'clip', prompts: [] },
    ],
  };
});
afterEach(async () => {
  await server.close();
  await place.close();
});

const run = (name: string, more: Partial<PullRequest> = {}) =>
  pull({ name, from: [], learnedOn: [], ...more }, table, place.surroundings);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it should have failed'),
    (thrown: unknown) => thrown as CraneError,
  );
const modelJson = (name: string) => place.at('models', name, 'model.json');
const change = async (name: string, edit: (json: ModelDescription) => void) => {
  const json = JSON.parse(await readFile(modelJson(name), 'utf8')) as ModelDescription;
  edit(json);
  await writeFile(modelJson(name), JSON.stringify(json));
};

describe('a model', () => {
  it('becomes a folder that --model finds by its name, with both prompt sets', async () => {
    const pulled = await run('crane');
    expect(pulled).toMatchObject({ kind: 'model', path: place.at('models', 'crane') });
    const model = await findModel('crane', place.surroundings.env);
    expect(model.weights).toEqual([{ file: 'clip.bin', sha256: sha256(content), bytes: content.length }]);
    expect(model.source).toBeUndefined();
    expect(model.licence).toBe('MIT');
    expect(model.prompts.default).toBe('mvtec');
    expect(
      Object.entries(model.prompts.sets).map(([name, { file, learnedOn }]) => [name, file, learnedOn]),
    ).toEqual([
      ['mvtec', 'authors-mvtec.bin', ['mvtec']],
      ['visa', 'authors-visa.bin', ['visa']],
    ]);
    expect((await readdir(model.folder)).sort()).toEqual([
      'authors-mvtec.bin',
      'authors-visa.bin',
      'clip.bin',
      'model.json',
    ]);
  });

  it('of a method that learns nothing has no prompts, and its backbone as that runs it', async () => {
    await run('winclip');
    const model = await findModel('winclip', place.surroundings.env);
    expect(model).toMatchObject({
      method: { name: 'winclip' },
      prompts: { sets: {} },
      input: { width: 240, height: 240 },
      vision: { activation: 'gelu', positionInterpolation: { kind: 'none' } },
      text: { activation: 'gelu' },
    });
    expect((await readdir(model.folder)).sort()).toEqual(['clip.bin', 'model.json']);
    // again, over what is there
    await run('winclip');
    const fault = await failure(run('winclip', { prompts: 'epoch_5.pth' }));
    expect(fault).toMatchObject({
      code: 'E_USAGE',
      message: 'winclip takes no prompts: nothing of it is learned',
    });
  });

  it('Crane+ has DINOv2 as its source and names both licences', async () => {
    await run('crane+');
    const model = await readModelJson(modelJson('crane+'));
    expect(model.source?.weights.file).toBe('dino.bin');
    expect(model.licence).toBe('MIT AND Apache-2.0');
    expect(model.method['dAttn']).toBe(true);
  });

  it('a file that two models use lies on the disk once and comes once', async () => {
    await run('crane');
    const before = server.requests.length;
    await run('crane+');
    expect(server.requests.length - before).toBe(1);
    const [one, two] = await Promise.all(
      ['crane', 'crane+'].map((name) => stat(place.at('models', name, 'clip.bin'))),
    );
    expect(one?.ino).toBe(two?.ino);
  });

  it('has no model.json until all of it is there', async () => {
    server.misbehave('chunked', 'chunked', { status: 404 });
    expect((await failure(run('crane'))).code).toBe('E_DOWNLOAD');
    await expect(stat(modelJson('crane'))).rejects.toThrow();
  });

  it('fetches the small prompts first, and says what to do when they are gone', async () => {
    server.misbehave({ status: 404 });
    const error = await failure(run('crane'));
    expect(error.message).toMatch(/^authors-mvtec: .*answered 404/);
    expect(error.hint).toMatch(/weights pull crane --prompts FILE/);
    expect(server.requests).toHaveLength(1);
  });

  it('takes prompts of the user instead of the authors', async () => {
    await writeFile(place.at('Epoch 3.pth'), 'learned');
    await run('crane', { prompts: place.at('Epoch 3.pth'), learnedOn: ['screws', 'nuts'] });
    const model = await readModelJson(modelJson('crane'));
    expect(model.prompts.default).toBe('epoch-3');
    expect(model.prompts.sets['epoch-3']).toMatchObject({
      file: `prompts-epoch-3-${sha256('learned').slice(0, 12)}.pth`,
      sha256: sha256('learned'),
      learnedOn: ['screws', 'nuts'],
    });
    const { file } = model.prompts.sets['epoch-3']!;
    expect(await readFile(place.at('models', 'crane', file), 'utf8')).toBe('learned');
    expect(server.requests).toHaveLength(1);
  });

  it('keeps those of another run under the same name, unless told', async () => {
    for (const run of ['runA', 'runB']) {
      await mkdir(place.at(run));
      await writeFile(place.at(run, 'epoch_5.pth'), `learned by ${run}`);
    }
    const pullOf = (from: string, more: Partial<PullRequest> = {}) =>
      run('crane', { prompts: place.at(from, 'epoch_5.pth'), learnedOn: [from], ...more });
    const setOf = async () => (await readModelJson(modelJson('crane'))).prompts.sets['epoch_5']!;
    await pullOf('runA');
    await pullOf('runA');
    const before = await setOf();
    const requests = server.requests.length;
    expect(await failure(pullOf('runB'))).toMatchObject({
      code: 'E_EXISTS',
      message: expect.stringContaining('has other prompts as set "epoch_5"'),
    });
    expect(server.requests).toHaveLength(requests);
    expect(await setOf()).toEqual(before);
    expect(await readFile(place.at('models', 'crane', before.file), 'utf8')).toBe('learned by runA');
    await pullOf('runB', { force: true });
    const after = await setOf();
    expect(after).toMatchObject({ sha256: sha256('learned by runB'), learnedOn: ['runB'] });
    expect(await readFile(place.at('models', 'crane', after.file), 'utf8')).toBe('learned by runB');
    expect(await readdir(place.at('models', 'crane'))).not.toContain(before.file);
    expect((await failure(run('crane', { force: true }))).code).toBe('E_USAGE');
  });

  it('P2: asks what they were learned on when nothing says it', async () => {
    await writeFile(place.at('own.pth'), 'learned');
    await run('crane', { prompts: place.at('own.pth') });
    expect(place.log.join()).toMatch(/own\.pth does not say what its prompts were learned on.*--learned-on/);
    await run('crane', { prompts: place.at('own.pth'), learnedOn: ['parts'] });
    expect(place.log.filter((line) => line.includes('does not say'))).toHaveLength(1);
  });

  it("knows a copy of the authors' prompts by its sha256", async () => {
    table = {
      ...table,
      files: table.files.map((file) => (file.name === 'clip' ? { ...file, sha256: sha256(content) } : file)),
    };
    table.files.find(({ name }) => name === 'authors-visa')!.sha256 = sha256('of the authors');
    await writeFile(place.at('own.pth'), 'of the authors');
    await run('crane', { prompts: place.at('own.pth') });
    const { prompts } = await readModelJson(modelJson('crane'));
    expect(prompts.default).toBe('visa');
    expect(prompts.sets['visa']?.learnedOn).toEqual(['visa']);
  });

  it.each([
    ['there is no such file', 'nothing.pth'],
    ['is a folder', '.'],
  ])('prompts: %s', async (message, path) => {
    const error = await failure(run('crane', { prompts: place.at(path) }));
    expect(error.code).toBe('E_PROMPTS');
    expect(error.message).toContain(message);
    expect(server.requests).toHaveLength(0);
  });

  it('prompts that are something else are refused before anything is fetched', async () => {
    await writeFile(place.at('dino.pth'), 'a tower');
    const error = await failure(run('crane', { prompts: place.at('dino.pth') }));
    expect(error).toMatchObject({ code: 'E_PROMPTS', message: expect.stringMatching(/no learned prompts/) });
    expect(server.requests).toHaveLength(0);
  });

  it('prompts of another width are refused before anything is fetched', async () => {
    await writeFile(place.at('narrow.pth'), 'narrow');
    const error = await failure(run('crane', { prompts: place.at('narrow.pth') }));
    expect(error.code).toBe('E_PROMPTS');
    expect(error.message).toMatch(/width 384, expected 768 for crane$/);
    expect(server.requests).toHaveLength(0);
  });

  it('pulled again keeps a chosen threshold and added prompt sets', async () => {
    await run('crane');
    await change('crane', (json) => {
      json.threshold = 0.4;
      json.prompts.sets['mine'] = { ...json.prompts.sets['mvtec']!, learnedOn: ['mine'] };
    });
    await run('crane');
    const model = await readModelJson(modelJson('crane'));
    expect(model.threshold).toBe(0.4);
    expect(Object.keys(model.prompts.sets)).toEqual(['mvtec', 'visa', 'mine']);
  });

  it('a threshold does not outlive the prompts it was chosen with', async () => {
    await run('crane');
    await change('crane', (json) => {
      json.threshold = 0.4;
    });
    await writeFile(place.at('epoch_9.pth'), 'others');
    await run('crane', { prompts: place.at('epoch_9.pth') });
    const model = await readModelJson(modelJson('crane'));
    expect(model.threshold).toBeNull();
    expect(model.prompts.default).toBe('epoch_9');
  });

  it('is repaired when a file of it was damaged', async () => {
    await run('crane');
    await writeFile(place.at('models', 'crane', 'clip.bin'), 'damaged');
    await run('crane');
    expect((await readFile(place.at('models', 'crane', 'clip.bin'))).equals(content)).toBe(true);
  });
});

describe('import', () => {
  it('takes files by name from a folder, without any connection', async () => {
    await mkdir(place.at('usb'));
    for (const name of ['clip', 'dino', 'authors-mvtec'])
      await writeFile(place.at('usb', `${name}.bin`), content);
    const pulled = await run('crane+', { from: [place.at('usb')] });
    expect(pulled.files.map(({ how }) => how)).toEqual(['imported', 'imported', 'imported']);
    expect(server.requests).toHaveLength(0);
  });

  it('takes a file of another name by its sha256', async () => {
    table.files.find(({ name }) => name === 'clip')!.sha256 = sha256('the clip');
    await writeFile(place.at('renamed.pt'), 'the clip');
    const pulled = await run('crane', { from: [place.at('renamed.pt')] });
    expect(pulled.files.map(({ name, how }) => [name, how])).toEqual([
      ['authors-mvtec', 'fetched'],
      ['authors-visa', 'fetched'],
      ['clip', 'imported'],
    ]);
  });

  it('takes any name for a single file', async () => {
    await writeFile(place.at('whatever'), content);
    expect((await run('clip', { from: [place.at('whatever')] })).files[0]?.how).toBe('imported');
  });

  it('says what a file should have been', async () => {
    await writeFile(place.at('whatever'), 'unknown');
    const error = await failure(run('crane', { from: [place.at('whatever')] }));
    expect(error.code).toBe('E_USAGE');
    expect(error.message).toContain(sha256('unknown'));
    expect(error.hint).toContain('clip.bin');
  });

  it.each([['nothing'], ['empty']])('a %s to import from is named', async (name) => {
    await mkdir(place.at('empty'));
    const error = await failure(run('crane', { from: [place.at(name)] }));
    expect(error.code).toBe('E_WEIGHTS_NOT_FOUND');
    expect(error.message).toContain(place.at(name));
  });
});

describe('names', () => {
  it('a file is fetched by its name, however it is spelt', async () => {
    table = { ...table, files: [publicFile(server.url, { name: 'ViT-L-14-336px' })], models: [] };
    const pulled = await run('ViT-L/14@336px');
    expect(pulled).toMatchObject({ kind: 'file', name: 'ViT-L-14-336px' });
  });

  it('a misspelt name gets the nearest one', async () => {
    expect(await failure(run('crain'))).toMatchObject({ code: 'E_USAGE', hint: 'did you mean crane?' });
    expect((await failure(run('something else'))).hint).toMatch(/^known are crane, crane\+, winclip, clip/);
  });

  it('prompts do not belong to a file', async () => {
    expect((await failure(run('clip', { prompts: 'x' }))).code).toBe('E_USAGE');
  });
});

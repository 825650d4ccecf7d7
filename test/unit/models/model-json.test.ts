import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CraneError } from '../../../src/errors.js';
import { findModel } from '../../../src/models/find-model.js';
import { parseModelJson } from '../../../src/models/model-json.js';
import { makeToyFolder, makeToyModel, toyModelJson } from '../engine/toy-model.js';

type Json = typeof toyModelJson;
const parse = (change: (json: Json & Record<string, unknown>) => void) => {
  const json = structuredClone(toyModelJson) as Json & Record<string, unknown>;
  change(json);
  return () => parseModelJson(JSON.stringify(json), 'x/model.json');
};

describe('model.json', () => {
  it('of the tests is valid', () => {
    expect(parse(() => {})()).toMatchObject({ name: 'toy', input: { width: 28 } });
  });

  it.each<[string, RegExp, (json: Json & Record<string, unknown>) => void]>([
    [
      'prompts of a method that there is not',
      /prompts\.sets\.plain\.method: there is no method "crain"/,
      (json) => Object.assign(json.prompts.sets.plain, { method: 'crain' }),
    ],
    [
      "prompts of another method as the model's own",
      /prompts\.default: set "plain" is of method vand/,
      (json) => Object.assign(json.prompts.sets.plain, { method: 'vand' }),
    ],
    [
      'a path that leaves the folder',
      /weights\.0\.file: expected a path inside/,
      (json) => {
        json.weights[0]!.file = '../x';
      },
    ],
    [
      'a path that leaves by a detour',
      /weights\.0\.file/,
      (json) => {
        json.weights[0]!.file = 'a/../../x';
      },
    ],
    [
      'an absolute path',
      /weights\.0\.file/,
      (json) => {
        json.weights[0]!.file = '/etc/passwd';
      },
    ],
    [
      'a Windows path',
      /weights\.0\.file/,
      (json) => {
        json.weights[0]!.file = 'C:\\x';
      },
    ],
    [
      'a prompt file that leaves',
      /prompts\.sets\.plain\.file/,
      (json) => {
        json.prompts.sets.plain.file = '..';
      },
    ],
    [
      'an unknown field',
      /"colour"/,
      (json) => {
        json['colour'] = 1;
      },
    ],
    [
      'a misspelt setting',
      /method: .*"softmean"/,
      (json) => {
        Object.assign(json.method, { softmean: true });
      },
    ],
    [
      'a default that is no set',
      /prompts\.default: expected the name of one of the sets/,
      (json) => {
        json.prompts.default = 'none';
      },
    ],
    [
      'D-Attn without a source',
      /method\.dAttn/,
      (json) => {
        json.method.dAttn = true;
      },
    ],
    [
      'a threshold above 1',
      /threshold/,
      (json) => {
        json.threshold = 2;
      },
    ],
    [
      'a deviation of zero',
      /vision\.std/,
      (json) => {
        json.vision.std = [0, 1, 1];
      },
    ],
    [
      'a short hash',
      /weights\.0\.sha256: expected 64/,
      (json) => {
        json.weights[0]!.sha256 = 'abc';
      },
    ],
  ])('with %s is E_MODEL_JSON and named', (_, message, change) => {
    expect(parse(change)).toThrow(
      expect.objectContaining({ code: 'E_MODEL_JSON', message: expect.stringMatching(message) }),
    );
  });

  it('that is no JSON is E_MODEL_JSON', () => {
    expect(() => parseModelJson('{', 'm.json')).toThrow(/m\.json: not JSON/);
  });
});

describe('finding a model', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await makeToyFolder();
    await makeToyModel(join(folder, 'models', 'mine'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const env = () => ({ CRANE_CACHE: folder });
  const codeOf = (name: string) =>
    findModel(name, env()).then(
      () => 'found',
      (error: CraneError) => error.code,
    );

  it('takes a folder, a file, a name in the cache and the embedded default', async () => {
    const place = join(folder, 'models', 'mine');
    for (const given of [place, join(place, 'model.json'), 'mine']) {
      expect(await findModel(given, env())).toMatchObject({ name: 'toy', folder: place });
    }
    expect(await findModel('crane-mini', env())).toMatchObject({ name: 'crane-mini' });
  });

  it('names what there is when nothing fits', async () => {
    const error = await findModel('nosuch', env()).catch((thrown: CraneError) => thrown);
    expect(error).toMatchObject({
      code: 'E_MODEL_NOT_FOUND',
      message: expect.stringMatching(/"nosuch"; there are crane-mini, mine/),
    });
    expect(await codeOf('../up')).toBe('E_MODEL_NOT_FOUND');
    await mkdir(join(folder, 'empty'));
    expect(await codeOf(join(folder, 'empty'))).toBe('E_MODEL_NOT_FOUND');
    await writeFile(join(folder, 'empty', 'model.json'), '[]');
    expect(await codeOf(join(folder, 'empty'))).toBe('E_MODEL_JSON');
  });
});

/** Files that earlier versions wrote (test/formats) are read by this one, and what they left unfinished is finished. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readNpy } from '../../dist/files/npy.js';
import { isScored, readTestRun } from '../../dist/index.js';
import { canonicalJson } from '../../dist/runs/canonical-json.js';
import { craneNative, type Finished, lines, root } from './crane-native.js';

const formats = join(root, 'test', 'formats');
const versions = readdirSync(formats, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

// biome-ignore lint/suspicious/noExplicitAny: records of any version, read field by field
type Json = Record<string, any>;
const readJson = (path: string): Json => JSON.parse(readFileSync(path, 'utf8'));
const writeJson = (path: string, value: unknown) => writeFileSync(path, JSON.stringify(value));
/** Other kernels than the recorded ones may differ in the last digits. */
const k_digits = 5;
/** AUPRO at 200 thresholds moves with the largest value. */
const k_figureDigits = 3;

describe.each(versions)('files of version %s', (version) => {
  let scratch: string;
  let expected: Json;
  /** what this machine and this version put into their records */
  let today: { version: string; machine: Json; decoder: Json; versions: Json };
  const at = (...parts: string[]) => join(scratch, ...parts);
  const crane = (...args: string[]) =>
    craneNative([...args, '--threads', '1', '--precision', 'float32'], {
      cwd: scratch,
      env: { CRANE_CALIBRATIONS: at('calibrations') },
    });
  const train = (out: string, ...more: string[]) =>
    crane(
      ...['train', 'set', '--model', 'model', '--cache', 'features', '--out', out, '--seed', '4'],
      ...['--epochs', '3', '--batch-size', '4', '--save-every', '1', ...more],
    );
  const test = (out: string, ...more: string[]) =>
    crane('test', 'set', '--model', 'model', '--bootstrap', '20', '--out', out, ...more);

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'crane früher-'));
    cpSync(join(formats, version), scratch, { recursive: true });
    for (const file of ['weights.safetensors', 'prompts.safetensors'])
      cpSync(at('model', file), at('model-calibrated', file));
    expected = readJson(at('expected.json'));

    for (const begun of [
      await train('ours', '--epochs', '1', '--cache', 'our features'),
      await test('our test', '--no-report'),
    ])
      expectWell(begun);
    const { made } = readJson(at('ours', 'run.json'));
    const { pictures } = readJson(at('our features', made.features, 'key.json'));
    today = {
      version: made.version,
      machine: made.machine,
      decoder: pictures.decoder,
      versions: readJson(at('our test', 'run.json'))['made'].versions,
    };
    for (const old of readdirSync(at('features'))) moveCache(old);
  }, 120_000);
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  /** The cache's folder under the name it would have had on this machine. */
  function moveCache(old: string): void {
    const path = at('features', old, 'key.json');
    const { key: _, ...settings } = readJson(path);
    settings['machine'] = today.machine;
    settings['pictures'].decoder = today.decoder;
    const key = createHash('sha256').update(canonicalJson(settings)).digest('hex').slice(0, 32);
    writeJson(path, { key, ...settings });
    if (key !== old) renameSync(at('features', old), at('features', key));
    for (const run of ['train-complete', 'train-interrupted'])
      changeState(at(run, 'state.safetensors'), (made) => {
        made['features'] = key;
        made['machine'] = today.machine;
        made['version'] = today.version;
      });
  }

  /** The test's record as this machine would have written it. */
  function moveTest(out: string): void {
    const record = readJson(at(out, 'run.json'));
    record['made'].machine = today.machine;
    record['made'].versions = today.versions;
    writeJson(at(out, 'run.json'), record);
  }

  it('learned prompts score as they did, in both forms', async () => {
    const picture = expected['learned'].input;
    for (const [file, name] of [
      ['prompts.safetensors', 'learned'],
      ['epoch_3.pth', 'learnedAsAuthors'],
    ] as const) {
      const scored = await crane('score', picture, '--model', 'model', '--prompts', `train-complete/${file}`);
      expectSame(lines(scored)[0]!, expected[name]);
    }
  });

  it('thresholds in model.json hold for the settings they were chosen for', async () => {
    const args = ['score', expected['calibrated'].input, '--model', 'model-calibrated'];
    expectSame(lines(await crane(...args))[0]!, expected['calibrated']);
    expectSame(lines(await crane(...args, '--sigma', '2'))[0]!, expected['calibratedOtherwise']);
    expect(lines(await crane(...args, '--sigma', '3'))[0]).toMatchObject({ threshold: null });
  });

  it("a user's own thresholds hold for the embedded model", async () => {
    const args = ['score', expected['embedded'].input];
    expectSame(lines(await crane(...args))[0]!, expected['embedded']);
    rmSync(at('calibrations'), { recursive: true });
    expect(lines(await crane(...args))[0]!['threshold']).not.toBe(expected['embedded'].threshold);
    cpSync(join(formats, version, 'calibrations'), at('calibrations'), { recursive: true });
  });

  it('an interrupted training goes on from its state and its features, to the prompts of the complete one', async () => {
    const before = readFileSync(at('train-interrupted', 'epoch_1.pth'));
    const resumed = await train('train-interrupted', '--resume');
    expectWell(resumed);
    // 0.1.0 kept no counts of masks: they are added once, and no tower runs.
    if (version === '0.1.0')
      expect(resumed.stderr).toContain('features of 12 pictures were kept by an earlier version');
    const record = readJson(at('train-interrupted', 'run.json'));
    expect(record).toMatchObject({ status: 'complete', features: { computed: 0, found: 12 } });
    expect(record['epochs']).toHaveLength(3);
    // What was done is not done again.
    expect(readFileSync(at('train-interrupted', 'epoch_1.pth'))).toEqual(before);
    const [ours, theirs] = ['train-interrupted', 'train-complete'].map((out) =>
      floatsOf(at(out, 'prompts.safetensors')),
    );
    expect(Object.keys(ours!)).toEqual(Object.keys(theirs!));
    let compared = 0;
    for (const [name, values] of Object.entries(ours!))
      for (const [index, value] of values.entries()) {
        expect(value, `${name}[${index}]`).toBeCloseTo(theirs![name]![index]!, k_digits);
        compared++;
      }
    expect(compared).toBeGreaterThan(1000);
  });

  it('a complete training stays as it is, and takes further epochs', async () => {
    const before = readFileSync(at('train-complete', 'prompts.safetensors'));
    expectWell(await train('train-complete', '--resume'));
    expect(readFileSync(at('train-complete', 'prompts.safetensors'))).toEqual(before);
    expectWell(await train('train-complete', '--resume', '--epochs', '4'));
    expect(readJson(at('train-complete', 'run.json'))['epochs']).toHaveLength(4);
  });

  it('a training of another version is refused by name', async () => {
    cpSync(at('train-interrupted'), at('another'), { recursive: true });
    changeState(at('another', 'state.safetensors'), (made) => {
      made['version'] = '0.0.1';
    });
    const refused = await train('another', '--resume', '--json');
    expect(refused.code).toBe(2);
    const { error } = JSON.parse(refused.stderr.trimEnd().split('\n').at(-1)!);
    expect(error).toMatchObject({
      code: 'E_TRAIN_RESUME',
      message: expect.stringContaining(`version is ${JSON.stringify(today.version)}, was "0.0.1"`),
    });
  });

  it('an interrupted test goes on: what was scored is kept, the figures are those of the complete one', async () => {
    moveTest('test-interrupted');
    cpSync(at('test-interrupted'), at('test-altered'), { recursive: true });
    expectWell(await test('test-interrupted', '--resume', '--no-report'));
    const [ours, theirs] = await Promise.all(['test-interrupted', 'test-complete'].map(figuresIn));
    expect(ours!.pictures).toHaveLength(12);
    expect(expectCloseNumbers(ours, theirs)).toBeGreaterThan(100);

    // Scores that nobody could compute show that the finished class and the journal were read.
    const journal = at('test-altered', 'state', 'pictures.jsonl');
    const altered = readFileSync(journal, 'utf8').replaceAll(/"score":[^,]*/g, '"score":0.123');
    writeFileSync(journal, altered);
    expectWell(await test('test-altered', '--resume', '--no-report'));
    const scores = (await figuresIn('test-altered')).pictures.map(({ score }) => score);
    const [finished, rest] = [scores.slice(0, 4), scores.slice(4)];
    expect(finished).toEqual(theirs!.pictures.slice(0, 4).map(({ score }) => score));
    expect(rest.filter((score) => score === 0.123)).toHaveLength(altered.split('\n').length - 1 - 4);
  });

  it('a complete test is read, and its tables are written again byte for byte', async () => {
    moveTest('test-complete');
    const before = readFileSync(at('test-complete', 'results.csv'), 'utf8');
    rmSync(at('test-complete', 'results.csv'));
    expectWell(await test('test-complete', '--resume'));
    expect(readFileSync(at('test-complete', 'results.csv'), 'utf8')).toBe(before);
    expect(existsSync(at('test-complete', 'report.html'))).toBe(true);
  });

  it('a test of another version is refused by name', async () => {
    cpSync(at('test-complete'), at('another test'), { recursive: true });
    const record = readJson(at('another test', 'run.json'));
    record['made'].versions['crane-native'] = '0.0.1';
    writeJson(at('another test', 'run.json'), record);
    const refused = await test('another test', '--resume', '--json');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('E_TEST_RESUME');
    expect(refused.stderr).toContain('versions.crane-native');
  });

  it('results are gone on with: whole lines stay, the cut one and the rest are scored', async () => {
    const partial = at('scored-interrupted', 'results.jsonl.partial');
    const whole = readFileSync(partial, 'utf8').split('\n').slice(0, -1);
    expect(whole).toHaveLength(2);
    const more = ['--model', 'model', '--out', 'scored-interrupted', '--maps', 'npy', '--format', 'jsonl'];
    expectWell(await crane('score', 'set/bolt/test', '--recursive', ...more, '--resume'));
    const [ours, theirs] = ['scored-interrupted', 'scored'].map((out) =>
      readFileSync(at(out, 'results.jsonl'), 'utf8').trimEnd().split('\n'),
    );
    expect(ours!.slice(0, 2)).toEqual(whole);
    expect(ours).toHaveLength(theirs!.length);
    for (const [index, line] of ours!.entries()) expectSame(JSON.parse(line), JSON.parse(theirs![index]!));
    for (const line of theirs!) {
      const { map } = JSON.parse(line);
      const [mine, old] = await Promise.all(
        ['scored-interrupted', 'scored'].map((out) => readNpy(at(out, map))),
      );
      expect([mine!.width, mine!.height]).toEqual([old!.width, old!.height]);
      for (const [index, value] of mine!.data.entries())
        expect(value).toBeCloseTo(old!.data[index]!, k_digits);
    }
  });

  async function figuresIn(out: string) {
    const { dataSets } = await readTestRun(at(out));
    const classes = dataSets.flatMap((set) => set.classes);
    return {
      pictures: classes.flatMap(({ pictures }) => pictures.filter(isScored)),
      // Which points of a curve are kept may change with a last digit.
      figures: classes.map(({ metrics: { image, pixel } }) =>
        [image, pixel].map((of) => ({ ...of, curves: null, histogram: null })),
      ),
      means: dataSets.map(({ mean }) => mean),
    };
  }
});

function expectWell({ code, stderr }: Finished): void {
  expect({ code, stderr }).toMatchObject({ code: 0 });
}

/** Every field as it was but the times; the score to a few digits, the label of the settings exactly. */
function expectSame(line: Json, old: Json): void {
  const { ms: _, ...now } = line;
  const { ms: __, score, ...then } = old;
  expect(now).toEqual({ ...then, score: expect.closeTo(score, k_digits) });
}

/** @returns how many numbers were compared */
function expectCloseNumbers(now: unknown, then: unknown, name = ''): number {
  if (typeof then === 'number') expect(now, name).toBeCloseTo(then, k_figureDigits);
  else if (typeof then !== 'object' || then === null) expect(now, name).toBe(then);
  else
    return Object.entries(then)
      .map(([key, value]) => expectCloseNumbers((now as Json)[key], value, `${name}.${key}`))
      .reduce((sum, count) => sum + count, 0);
  return typeof then === 'number' ? 1 : 0;
}

/** Changes the settings that a saved state names, in the header of its file. */
function changeState(path: string, change: (made: Json) => void): void {
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, end));
  const made = JSON.parse(header.__metadata__.settings);
  change(made);
  const settings = canonicalJson(made);
  const run = createHash('sha256').update(settings).digest('hex');
  const state = canonicalJson({ ...JSON.parse(header.__metadata__.state), run });
  header.__metadata__ = { ...header.__metadata__, settings, state };
  let text = JSON.stringify(header);
  text += ' '.repeat((8 - (Buffer.byteLength(text) % 8)) % 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
  writeFileSync(path, Buffer.concat([length, Buffer.from(text), bytes.subarray(end)]));
}

/** The float32 tensors of a safetensors file, read without the engine. */
function floatsOf(path: string): Record<string, Float32Array> {
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header: Record<string, { dtype: string; data_offsets: [number, number] }> = JSON.parse(
    bytes.toString('utf8', 8, end),
  );
  const tensors = Object.entries(header).filter(([, { dtype }]) => dtype === 'F32');
  return Object.fromEntries(
    tensors.map(
      ([
        name,
        {
          data_offsets: [from, to],
        },
      ]) => [
        name,
        new Float32Array(
          bytes.buffer.slice(bytes.byteOffset + end + from, bytes.byteOffset + end + to) as ArrayBuffer,
        ),
      ],
    ),
  );
}

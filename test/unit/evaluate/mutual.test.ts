/** `test --mutual`: figures of pictures that are scored by each other. */
import { access, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeRun } from '../../../src/runs/run-json.js';
import { isScored } from '../../../src/runs/test-run.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeTestAddon } from '../metrics/slow-metrics.js';
import { writeToySet } from '../train/toy-set.js';
import { errorOf, useWorkplace } from '../train/workplace.js';
import { bytesOf, evaluate, stopAfter } from './evaluating.js';

const work = useWorkplace();
const mutual = { method: 'normals', mutual: true } as const;
const command = (set: string, ...args: string[]) =>
  runInProcess(['test', set, '--model', work.model.folder, '--mutual', '--bootstrap', '20', ...args], {
    env: work.env,
    addon: makeTestAddon(),
  });
/** Of a busy machine. */
const k_patience = 120_000;
const learned = ({ log }: ReturnType<typeof makeTestAddon>) =>
  log.prompts.filter(({ material }) => material.normals);

describe('test --mutual', () => {
  it(
    'scores every picture by the others of its class, as score does, and leaves no patches',
    async () => {
      const set = await writeToySet(work.at('pair'), { normal: 4, anomalous: 1 });
      const run = await command(set, '--out', work.at('out'));
      expect(run.code, run.stderr).toBe(0);
      const { dataSets, settings } = decodeRun(await readFile(work.at('out', 'results.json'), 'utf8'));
      expect(settings.method).toMatchObject({ name: 'normals', mutual: true });
      const pictures = dataSets[0]!.classes[0]!.pictures.filter(isScored);
      expect(pictures).toHaveLength(5);
      expect(learned(run.addon as ReturnType<typeof makeTestAddon>)).toHaveLength(5);
      const args = ['score', join(set, 'test'), '--recursive', '--model', work.model.folder, '--mutual'];
      const plain = await runInProcess([...args, '--allow-equal-scores'], { env: work.env });
      const scores = (values: unknown[]) => values.map(Number).sort();
      expect(scores(pictures.map(({ score }) => score))).toEqual(
        scores(plain.lines().map(({ score }) => score)),
      );
      expect(await readdir(work.at('out'))).not.toContain('state');
    },
    k_patience,
  );

  it(
    'says in tables and report what it assumes, and warns where more than the share are anomalous',
    async () => {
      const few = await writeToySet(work.at('few'), { normal: 7, anomalous: 2 });
      const run = await command(few, '--out', work.at('said'));
      for (const name of ['results.md', 'report.html'])
        expect(await readFile(work.at('said', name), 'utf8'), name).toMatch(/scored by each other/);
      expect(run.stdout).not.toContain('are anomalous, more than');
      const many = await writeToySet(work.at('many'), { normal: 3, anomalous: 3 });
      const warned = await command(many, '--out', work.at('warned'));
      const said = '3 of the 6 pictures of tile are anomalous, more than the share of 0.3';
      expect(warned.stderr, 'before an hour of scoring').toContain(said);
      expect(warned.stdout).toContain(said);
      expect(await readFile(work.at('warned', 'report.html'), 'utf8')).toContain(said);
    },
    k_patience,
  );

  it(
    'goes on where it was stopped, without another pass through the towers, to the same bytes',
    async () => {
      const data = await writeToySet(work.at('long'), { normal: 9, anomalous: 3 });
      const out = work.at('stopped');
      const error = await errorOf(evaluate(work, { data, out, ...mutual, ...stopAfter(4) }));
      expect(error.code).toBe('E_CANCELLED');
      expect(await readdir(join(out, 'state', 'patches'))).toHaveLength(12);
      const addon = makeTestAddon();
      await evaluate(work, { addon, data, out, resume: true, ...mutual });
      expect(learned(addon)).toHaveLength(0);
      await evaluate(work, { data, out: work.at('straight'), ...mutual });
      expect(await bytesOf(out)).toEqual(await bytesOf(work.at('straight')));
      await expect(access(join(out, 'state'))).rejects.toThrow();
    },
    k_patience,
  );

  it(
    'without a folder keeps nothing',
    async () => {
      const run = await evaluate(work, mutual);
      expect(run.dataSets[0]!.notes[0]).toContain('scored by each other (mutual)');
    },
    k_patience,
  );

  it(
    'refuses a class of one picture, and what it leaves no room for, before a picture is read',
    async () => {
      const set = await writeToySet(work.at('one'), { normal: 1, anomalous: 0 });
      const one = await command(set, '--out', work.at('none'));
      expect(one).toMatchObject({ code: 2, stderr: expect.stringContaining('has one picture') });
      for (const flags of [
        ['--normals-from', set],
        ['--normals-k-shot', '1'],
        ['--prompts', 'x'],
        ['--method', 'crane'],
      ]) {
        const run = await command(work.set, '--out', work.at('none'), ...flags);
        expect(run.code, flags[0]).toBe(2);
        expect(run.stderr, flags[0]).toContain('--mutual');
        expect(run.addon.log.opened, flags[0]).toHaveLength(0);
      }
      await rm(work.at('none'), { recursive: true, force: true });
    },
    k_patience,
  );
});

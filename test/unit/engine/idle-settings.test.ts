/** P4: options that cannot matter with the others are told. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CraneOptions } from '../../../src/addon/method.js';
import { idleNotes, whyIdle } from '../../../src/engine/idle-settings.js';
import { crane } from '../../../src/methods/crane.js';
import { defaultMethod } from '../../../src/methods/registry.js';
import { runInProcess } from '../cli/run-in-process.js';
import { makeToyFolder, makeToyModel, writePicture } from './toy-model.js';

const settled = (more: Partial<CraneOptions> = {}) => ({
  method: { ...(defaultMethod('crane') as CraneOptions), ...more },
  fit: 'stretch' as const,
});

describe('P4: an option that cannot matter', () => {
  it('is named with its reason', () => {
    expect(whyIdle('fusion', settled({ imageScore: 'map-max' }))).toMatch(/map's maximum/);
    expect(whyIdle('fusion', settled())).toBeUndefined();
    expect(whyIdle('dAttnBeta', settled())).toMatch(/D-Attn is off/);
    expect(whyIdle('dAttnBeta', settled({ dAttn: true }))).toBeUndefined();
    expect(whyIdle('compat.emptyRows', settled())).toMatch(/D-Attn is off/);
    expect(whyIdle('tileOverlap', settled())).toMatch(/not tiled/);
    expect(whyIdle('tileOverlap', { ...settled(), fit: 'tile' })).toBeUndefined();
  });

  it('is a setting that there is', () => {
    for (const dAttn of [false, true])
      for (const imageScore of ['fused', 'map-max'] as const) {
        const { method } = settled({ dAttn, imageScore });
        for (const name of Object.keys(crane.idle(method)))
          expect(Object.keys(crane.settings)).toContain(name);
      }
  });

  it('is only told of when it was given', () => {
    const found = idleNotes(
      { dAttnBeta: 2, sigma: 1, fusion: undefined, compat: { batchMean: true } } as object,
      settled(),
    );
    expect(found).toEqual([
      'dAttnBeta changes nothing here: D-Attn is off (dAttn)',
      'compat.batchMean changes nothing here: D-Attn is off (dAttn)',
    ]);
  });
});

describe('on the command line', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await makeToyFolder();
    await makeToyModel(join(folder, 'model'));
    await writePicture(join(folder, 'a.png'), 50);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('score says it', async () => {
    const score = (...args: string[]) =>
      runInProcess(['score', join(folder, 'a.png'), '--model', join(folder, 'model'), ...args]);
    expect((await score('--no-fusion')).stderr).toContain(
      "fusion changes nothing here: the score is the map's maximum",
    );
    expect((await score()).stderr).not.toContain('changes nothing');
  });
});

/** A map's values are the caller's: threads work on a copy, since the caller may transfer them away. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/load-engine.js';
import { AnomalyMap } from '../../../src/images/anomaly-map.js';
import { findModel } from '../../../src/models/find-model.js';
import { makeFakeAddon } from '../engine/fake-addon.js';
import { makeToyFolder, makeToyModel, writePicture } from '../engine/toy-model.js';

let folder: string;
beforeAll(async () => {
  folder = await makeToyFolder();
  await writePicture(join(folder, 'a.png'), 50);
  await makeToyModel(join(folder, 'toy'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const values = () => Float32Array.from({ length: 12 }, (_, at) => at / 11);
const transfer = (map: AnomalyMap) =>
  structuredClone(map.data.buffer, { transfer: [map.data.buffer as ArrayBuffer] });

/** An addon whose work begins when the loop comes round, as that of threads does; it notes what it works on. */
function slowAddon() {
  const addon = makeFakeAddon();
  const worked: Float32Array[] = [];
  const { resizeMap, overlay } = addon;
  const later = () => new Promise((resolve) => setImmediate(resolve));
  addon.resizeMap = async (map, ...rest) => {
    worked.push(map);
    await later();
    return resizeMap(map, ...rest);
  };
  addon.overlay = async (picture, map, ...rest) => {
    worked.push(map);
    await later();
    return overlay(picture, map, ...rest);
  };
  return { addon, worked };
}

describe('a map that is transferred while it is', () => {
  it('resized or made a file gives what it held', async () => {
    const { addon, worked } = slowAddon();
    const whole = new AnomalyMap({ data: values(), width: 4, height: 3 }, addon);
    const [resized, png] = [await whole.resizeTo(8, 6), await whole.toPng()];
    const gone = new AnomalyMap({ data: values(), width: 4, height: 3 }, addon);
    const work = Promise.all([gone.resizeTo(8, 6), gone.toPng()]);
    transfer(gone);
    expect(gone.data.length).toBe(0);
    const [small, file] = await work;
    expect(small.data).toEqual(resized.data);
    expect(file.equals(png)).toBe(true);
    expect(worked.every((data) => data !== whole.data && data.length === 12)).toBe(true);
    await expect(gone.toPng()).rejects.toMatchObject({ code: 'E_IMAGE_SHAPE' });
    await expect(gone.resizeTo(8, 6)).rejects.toMatchObject({ code: 'E_IMAGE_SHAPE' });
  });

  it('drawn over its picture gives the same file', async () => {
    const { addon, worked } = slowAddon();
    const engine = await openEngine(addon, await findModel(join(folder, 'toy'), {}));
    try {
      const draw = (map: AnomalyMap) => engine.heatMap(join(folder, 'a.png'), map, { legend: false });
      const whole = new AnomalyMap({ data: values(), width: 4, height: 3 }, addon);
      const expected = await draw(whole);
      const gone = new AnomalyMap({ data: values(), width: 4, height: 3 }, addon);
      const drawing = draw(gone);
      await Promise.resolve();
      // Where it is given up before it could be copied that is told; it is never read once it is gone.
      const told = drawing.then(
        (file) => file.equals(expected),
        ({ code }: { code: string }) => code === 'E_IMAGE_SHAPE',
      );
      transfer(gone);
      expect(await told).toBe(true);
      expect(worked.every((data) => data !== whole.data && data !== gone.data)).toBe(true);
      expect(engine.decodedBytes).toBe(0);
    } finally {
      await engine.dispose();
    }
  });

  it.each([11, 13])('of %i values for 12 pixels is refused', async (length) => {
    const map = new AnomalyMap({ data: new Float32Array(length), width: 4, height: 3 }, makeFakeAddon());
    await expect(map.resizeTo(2, 2)).rejects.toMatchObject({ code: 'E_IMAGE_SHAPE' });
    await expect(map.toPng()).rejects.toMatchObject({ code: 'E_IMAGE_SHAPE' });
  });
});

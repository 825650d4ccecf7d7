import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LossHistory } from '../../../src/runs/loss-history.js';
import { readChecksums } from '../../../src/runs/training-record.js';
import { EpochRecords } from '../../../src/train/epoch-records.js';

const hash = (digit: string) => digit.repeat(64);

it('epochs are told with the means of their steps, and a checksum where it is known', () => {
  const losses = new LossHistory();
  losses.reserve(6);
  const records = new EpochRecords(losses, 2, 3);
  expect(records.all()).toEqual([]);
  for (let step = 0; step < 6; step++)
    losses.push({ focal: step, dice: 2 * step, image: -step, total: step * step });
  records.add(hash('a'));
  records.add(undefined);
  records.add(hash('0f').slice(0, 64));
  expect(records.all()).toEqual([
    {
      ...{ epoch: 1, steps: 2, checkpoint: 'epoch_1.pth', sha256: hash('a') },
      losses: { focal: 0.5, dice: 1, image: -0.5, total: 0.5 },
    },
    {
      ...{ epoch: 2, steps: 2, checkpoint: 'epoch_2.pth' },
      losses: { focal: 2.5, dice: 5, image: -2.5, total: 6.5 },
    },
    {
      ...{ epoch: 3, steps: 2, checkpoint: 'epoch_3.pth', sha256: hash('0f').slice(0, 64) },
      losses: { focal: 4.5, dice: 9, image: -4.5, total: 20.5 },
    },
  ]);
});

it('room that is taken for losses loses none, whether it is enough or not', () => {
  const some = { focal: 1, dice: 2, image: 3, total: 4 };
  for (const reserved of [0, 1, 3, 1000]) {
    const losses = new LossHistory(Float64Array.of(5, 6, 7, 8));
    losses.reserve(reserved);
    for (let step = 0; step < 600; step++) losses.push({ ...some, total: step });
    expect(losses.steps).toBe(601);
    expect([...losses.toArray().subarray(0, 4)]).toEqual([5, 6, 7, 8]);
    expect([...losses.toArray().subarray(-4)]).toEqual([1, 2, 3, 599]);
    expect(losses.toArray()).toHaveLength(4 * 601);
  }
});

it('of a record that something else wrote, only checksums are taken', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crane-record-'));
  const read = async (text: string) => {
    await writeFile(join(folder, 'run.json'), text);
    return [...(await readChecksums(join(folder, 'run.json')))];
  };
  const epochs = [
    { checkpoint: 'epoch_1.pth', sha256: hash('b') },
    { checkpoint: 'epoch_2.pth', sha256: `${hash('b')}0` },
    { checkpoint: 'epoch_3.pth', sha256: 3 },
    { checkpoint: 'epoch_4.pth' },
  ];
  expect(await read(JSON.stringify({ epochs }))).toEqual([['epoch_1.pth', hash('b')]]);
  for (const text of ['', '{}', '[]', 'null', '{"epochs":4}', '{"epochs":[null]}'])
    expect(await read(text), text).toEqual([]);
  await rm(folder, { recursive: true });
});

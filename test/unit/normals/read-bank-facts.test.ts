import { expect, it } from 'vitest';
import type { NativeAddon } from '../../../src/addon/native.js';
import { CraneError } from '../../../src/errors.js';
import { readNpy } from '../../../src/files/npy.js';
import { readBankFacts } from '../../../src/normals/read-bank-facts.js';

const read = (inspectWeights: () => Promise<unknown>) =>
  readBankFacts({ inspectWeights } as unknown as NativeAddon, 'a.safetensors');

it('a file that is there and no bank says how one is made', async () => {
  await expect(read(async () => ({ metadata: {} }))).rejects.toMatchObject({
    code: 'E_NORMALS',
    message: 'a.safetensors: no bank of normal pictures',
    hint: expect.stringContaining('normals learn'),
  });
});

it('a file that is not there is a bank that is not there; other faults of weights keep their code', async () => {
  const failing = (code: 'E_WEIGHTS_NOT_FOUND' | 'E_WEIGHTS_TRUNCATED') =>
    read(() => Promise.reject(new CraneError(code, 'as the engine says')));
  await expect(failing('E_WEIGHTS_NOT_FOUND')).rejects.toMatchObject({
    code: 'E_NORMALS',
    message: 'a.safetensors: there is no such bank',
  });
  await expect(failing('E_WEIGHTS_TRUNCATED')).rejects.toMatchObject({
    code: 'E_WEIGHTS_TRUNCATED',
    message: 'as the engine says',
  });
});

it('a map that is not there is told as a file', async () => {
  await expect(readNpy('/nowhere/a.npy')).rejects.toMatchObject({
    code: 'E_INPUT_NOT_FOUND',
    message: expect.stringContaining('/nowhere/a.npy'),
  });
});

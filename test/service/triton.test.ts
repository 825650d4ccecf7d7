/** A client that others wrote. Needs build/triton/bin/python with tritonclient (.ci/run makes it where pip is). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root, run, samples } from '../cli/crane-native.js';
import { serve, stop } from './serve.js';

const python = join(root, 'build/triton/bin/python');

it.skipIf(!existsSync(python))(
  'tritonclient scores files and pixels, as binary data and in JSON',
  async () => {
    const served = await serve();
    try {
      const { host } = new URL(served.url);
      const picture = join(samples, 'bsdata-pitting-p00.jpg');
      const { stdout, stderr, code } = await run(python, [
        join(root, 'test/service/triton.py'),
        host,
        picture,
      ]);
      expect(code, stderr).toBe(0);
      const told = JSON.parse(stdout) as Record<string, unknown>;
      const infer = {
        score: expect.closeTo(0.9795, 3),
        map: [1, 448, 448],
        max: expect.closeTo(0.9795, 3),
        regions: [expect.objectContaining({ peak: expect.closeTo(0.9795, 3) })],
        id: 'a',
      };
      expect(told).toEqual({
        live: true,
        ready: true,
        model: true,
        inputs: ['IMAGE', 'PIXELS'],
        binary: infer,
        json: infer,
        pixels: [expect.any(Number), expect.any(Number)],
        refusal: expect.stringContaining('E_HTTP_NOT_FOUND'),
      });
    } finally {
      await stop(served);
    }
  },
);

/** A picture on standard input has the limit of any that is read whole; it is lowered here. */
import { expect, it, vi } from 'vitest';
import { ScanAccount } from '../../../src/scan/scan-account.js';
import { listInputs } from '../../../src/sources/list-inputs.js';
import { codeOf, collect } from '../awaiting.js';

vi.mock('../../../src/net/whole-body.js', async (original) => {
  const real = await original<typeof import('../../../src/net/whole-body.js')>();
  const wholeBody: typeof real.wholeBody = (body, limits) => real.wholeBody(body, { ...limits, most: 1000 });
  return { ...real, wholeBody };
});

it.each([
  [1000, 'no error'],
  [1001, 'E_IMAGE_TOO_LARGE'],
])('of %i bytes: %s', async (bytes, code) => {
  const picture = Buffer.alloc(bytes);
  picture.set([0xff, 0xd8, 0xff, 0xe0]);
  const stdin = (async function* () {
    for (let at = 0; at < bytes; at += 100) yield picture.subarray(at, at + 100);
  })();
  const options = { stdin, account: new ScanAccount() } as unknown as Parameters<typeof listInputs>[1];
  expect(await codeOf(collect(listInputs(['@-'], options)))).toBe(code);
});

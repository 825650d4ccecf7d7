/** What an old Node is told. */
import { expect, it } from 'vitest';
import { oldNode } from '../../../src/cli/old-node.js';

const served = '^20.19.0 || >=22.12.0';

it.each(['20.19.0', '20.99.1', '22.12.0', '22.13.0', '23.0.0', '24.1.2', '100.0.0'])(
  'serves %s',
  (version) => {
    expect(oldNode(version, served)).toBeUndefined();
  },
);

it.each(['18.20.8', '20.18.9', '21.9.9', '22.11.99', '20.0.0'])('does not serve %s', (version) => {
  expect(oldNode(version, served)).toBe(`this is Node ${version}, and Node ^20.19.0 or >=22.12.0 is needed`);
});

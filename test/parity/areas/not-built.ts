/** Fixtures of features that the engine does not have yet: listed, never counted as passed. */
import type { Area } from '../area.js';

export const notBuilt: Area = {
  name: 'not built yet',
  async run({ folder, report }) {
    for (const path of folder.list(/^metrics\/.*\.safetensors$/)) {
      const names = new Set(
        folder
          .tensors(path)
          .names()
          .map((key) => key.split('.')[0]!),
      );
      for (const name of names) report.notBuilt(`metrics: ${name}`, 'metrics');
    }
    for (const path of folder.list(/^metrics\/expected\.json$/)) folder.claim(path);
    for (const path of folder.list(/(^|\/)(README|RECIPE|LICEN[CS]E[^/]*)(\.md|\.txt)?$/)) folder.claim(path);
  },
};

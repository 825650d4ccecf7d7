/** Texts that describe the fixtures: claimed, nothing to compare. */
import type { Area } from '../area.js';

export const documents: Area = {
  name: 'documents',
  async run({ folder }) {
    for (const path of folder.list(/(^|\/)(README|RECIPE|LICEN[CS]E[^/]*)(\.md|\.txt)?$/)) folder.claim(path);
  },
};

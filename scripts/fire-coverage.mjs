// Lines of the parsers in TypeScript that their tests run (scripts/fire.mjs coverage): V8 counts, vitest maps it to the sources.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What reads bytes that come from elsewhere; test/fire/parsers.ts has each as a function of bytes. */
const parsers = [
  ...['src/files/npy.ts', 'src/files/text.ts', 'src/data/meta-read.ts', 'src/normals/read-bank-facts.ts'],
  ...['src/models/model-json.ts', 'src/models/model-recipe.ts', 'src/models/calibration.ts'],
  ...['src/text/tokenizer.ts', 'src/text/clean-text.ts'],
  ...['src/sources/manifest.ts', 'src/sources/check-parquet.ts', 'src/service/requests/*.ts'],
];
/** Tests that run in vitest's own process: what a process of its own runs is not seen. */
const tests = [
  ...['parsers', 'manifests', 'manifest-lines', 'model-json'].map((name) => `test/fire/${name}.test.ts`),
  ...['test/unit/files', 'test/unit/text', 'test/unit/models', 'test/unit/normals', 'test/unit/service'],
  ...[
    'test/unit/data/meta.test.ts',
    'test/unit/engine/normals.test.ts',
    'test/unit/cli/score-manifest.test.ts',
  ],
];

/** @returns the lines of each file, how many of them were run, and whether the tests passed */
export function typescriptLines() {
  const folder = mkdtempSync(join(os.tmpdir(), 'crane-coverage-'));
  const terms = ['lines', 'statements', 'functions', 'branches'];
  const { status } = spawnSync(
    'npx',
    [
      ...['vitest', 'run', ...tests, '--coverage', '--reporter=dot'],
      ...parsers.map((file) => `--coverage.include=${file}`),
      ...['--coverage.reporter=json-summary', `--coverage.reportsDirectory=${folder}`],
      // What is enough is said by the caller, of all parsers together.
      ...terms.map((term) => `--coverage.thresholds.${term}=0`),
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const { total, ...files } = JSON.parse(readFileSync(join(folder, 'coverage-summary.json'), 'utf8'));
  rmSync(folder, { recursive: true });
  const rows = Object.entries(files).map(([path, { lines }]) => ({
    file: relative(root, path),
    count: lines.total,
    hit: lines.covered,
  }));
  return { rows, hasPassed: status === 0 };
}

// Installs the packed package in systems of its own, as users have them, and prints what happened as a table: Debian and Ubuntu made
// by debootstrap, with this or that Node, compiler, Python, network, libtorch, rights. As root, on a machine with debootstrap,
// overlayfs, the npm registry and the archives:
//   npm run build && npm pack
//   node scripts/install-roots.mjs crane-native-0.1.0.tgz LIBTORCH WORK [--systems bookworm,trixie,noble] [--only TEXT]
// LIBTORCH is libtorch 2.11.0 as the cache folder has it (~/.cache/crane-native/libtorch-2.11.0-cpu); WORK keeps the systems (3 GB) for
// the next time. Rows without "network" in their name see no network at all. Exits 1 when a row is not as expected. --plant damages
// the package's engine, so that rows with a right score must be found wrong: then 0 is that each was.
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { baseOf, golden, layerOf, nodeOf, packageLayer, titleOf } from './install-roots/layers.mjs';
import { rows } from './install-roots/rows.mjs';
import { tryRow } from './install-roots/system.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    systems: { type: 'string', default: 'bookworm,trixie,noble' },
    only: { type: 'string', default: '' },
    plant: { type: 'boolean', default: false },
    ccache: { type: 'string' },
  },
});
const [tarball, libtorch, work] = positionals.map((path) => resolve(path));
if (!work || process.getuid?.() !== 0) {
  console.error('usage, as root: node scripts/install-roots.mjs CRANE_NATIVE_TGZ LIBTORCH WORK');
  process.exit(2);
}
const expected = golden(dirname(dirname(fileURLToPath(import.meta.url))));
const ccache = values.ccache ? resolve(values.ccache) : join(work, 'ccache');
mkdirSync(ccache, { recursive: true });
const layers = new Map();
/** Damaged, an engine that is prebuilt is what shows it. */
const chosen = rows.filter(
  (row) =>
    row.name.includes(values.only) &&
    (!values.plant || ((row.from ?? 'prebuilt') === 'prebuilt' && row.use === 0)),
);

let wrong = 0;
let tried = 0;
console.log('| system | Node | situation | install | first use | as expected |\n|---|---|---|---|---|---|');
for (const system of values.systems.split(',')) {
  for (const row of chosen.filter(({ systems }) => systems?.includes(system) ?? true)) {
    for (const node of row.node ?? [22]) {
      const usedBy = row.usedBy && nodeOf(work, row.usedBy);
      const answer = tryRow(row, { ...surroundings(system, row), node: nodeOf(work, node), usedBy });
      const complaint = complaintOf(row, answer);
      tried++;
      if (complaint) {
        wrong++;
        const said = `${answer.broken}${answer.installed}${answer.stdout}${answer.stderr}`;
        console.error(`--- ${titleOf(system)}, Node ${node}, ${row.name}: ${complaint}\n${said}`);
      }
      const told = [
        titleOf(system),
        node,
        row.name,
        answer.install,
        outcome(answer),
        complaint ? 'NO' : 'yes',
      ];
      console.log(`| ${told.join(' | ')} |`);
    }
  }
}
for (const layer of layers.values()) rmSync(layer, { recursive: true, force: true });
if (values.plant) {
  console.log(`planted: ${wrong} of ${tried} rows found wrong`);
  process.exitCode = tried > 0 && wrong === tried ? 0 : 1;
} else {
  process.exitCode = tried > 0 && wrong === 0 ? 0 : 1;
}

function surroundings(system, { from = 'prebuilt', layer }) {
  if (!layers.has(from)) layers.set(from, packageLayer(work, tarball, from, values.plant));
  const over = layer ? [layerOf(work, system, layer)] : [];
  return { layers: [layers.get(from), ...over, baseOf(work, system)], libtorch, ccache, work };
}

function outcome({ use, stdout, stderr }) {
  if (use === 0) return scoreOf(stdout) ?? 'no score';
  return `${use} ${/\[(E_[A-Z_]+)\]/.exec(stderr)?.[1] ?? ''}`.trim();
}

function scoreOf(stdout) {
  const found = /"score":([0-9.e-]+)/.exec(stdout)?.[1];
  return found === undefined ? undefined : Number(Number(found).toFixed(6));
}

/** What is wrong with an answer, or nothing. */
function complaintOf(row, { install, use, installed, stdout, stderr, broken }) {
  if (broken) return 'the surroundings could not be made';
  if (install !== row.install) return `the install ended with ${install}, not ${row.install}`;
  if (use !== row.use) return `the use ended with ${use}, not ${row.use}`;
  const said = `${installed}${stdout}${stderr}`;
  const trace = /^ +at .+[:)]\d*\)?$/m.exec(said);
  if (trace) return `a trace of calls: ${trace[0].trim()}`;
  const unsaid = (row.says ?? []).filter((words) => !words.test(said));
  if (unsaid.length > 0) return `it does not say ${unsaid.join(', ')}`;
  const score = scoreOf(stdout);
  if (use === 0 && !(Math.abs(score - expected.score) <= expected.tolerance)) return `its score is ${score}`;
  return '';
}

/**
 * The compared systems against values of their authors' code: every key of every folder of fixtures with a manifest.json
 * (CRANE_METHODS, default test/methods/data).
 * Call: node main.js [--self-check] [--only=TEXT] [--peers=PYTHON]. The last line is "N passed, N failed"; exit code 1 on failure.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAddon } from '#crane/addon/load-addon.js';
import { FixtureFolder } from '../parity/fixture/folder.js';
import { describe, RunReport } from '../parity/report/run-report.js';
import { Backbones, compareBackbones } from './fixture/backbones.js';
import { type Case, casesIn } from './fixture/cases.js';
import { Subject } from './fixture/subject.js';
import { comparePeers } from './peers.js';
import { selfCheck } from './self-check.js';
import { systems } from './systems.js';

/** From build/parity/test/methods/ back to the copy in the repository. */
const shipped = fileURLToPath(new URL('../../../../test/methods/data', import.meta.url));

async function main(args: string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== '--self-check' && !/^--(only|peers)=/.test(arg));
  if (unknown)
    throw new Error(`unknown argument ${unknown}; known are --self-check, --only=TEXT and --peers=PYTHON`);
  const argument = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const only = argument('only');
  const python = argument('peers');
  const folder = fixtures(resolve(process.env['CRANE_METHODS'] || shipped));
  const { addon } = await loadAddon();
  const { version, libtorch, isa } = await addon.info();
  const report = new RunReport((line) => console.log(line));
  report.line(`crane-native ${version}, libtorch ${libtorch}, ${isa}; fixtures: ${folder.root}`);
  const scratch = mkdtempSync(join(tmpdir(), 'crane-methods-'));
  try {
    const backbones = new Backbones(folder, addon, scratch);
    const cases = casesIn(folder, backbones).filter(({ name }) => only === undefined || name.includes(only));
    if (args.includes('--self-check')) return await selfCheck({ cases, addon, scratch, report });
    if (python !== undefined) {
      await comparePeers(cases, { addon, report, python });
      return report.finish();
    }
    if (only === undefined || 'backbone'.includes(only)) {
      report.heading('backbone');
      await report.case('backbone', {}, (caseReport) => compareBackbones(backbones, caseReport));
    }
    for (const one of cases) await compareCase(one, { addon, report });
    // What was left out claims nothing, so its files are not unknown.
    if (only === undefined)
      for (const path of folder.unclaimed()) report.fault(`unknown file ${path}: nothing reads it`);
    return report.finish();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function compareCase(
  one: Case,
  { addon, report }: { addon: Awaited<ReturnType<typeof loadAddon>>['addon']; report: RunReport },
): Promise<void> {
  report.heading(one.name);
  const system = systems.find(({ name }) => name === one.system);
  if (!system) {
    report.notBuilt(one.name, `there is no comparison of system "${one.system}"`);
    return;
  }
  await report.case(one.name, { subtitle: one.backbone.name }, async (caseReport) => {
    const subject = new Subject(one, { addon, report: caseReport });
    try {
      await system.compare(subject);
      subject.finish();
    } finally {
      await subject.dispose();
    }
  });
}

/** The folder itself, or the `fixtures` within it. */
function fixtures(root: string): FixtureFolder {
  const folder = new FixtureFolder(root, 'CRANE_METHODS');
  return folder.has('fixtures/README.md')
    ? new FixtureFolder(join(root, 'fixtures'), 'CRANE_METHODS')
    : folder;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  console.error(describe(thrown));
  process.exitCode = 1;
}

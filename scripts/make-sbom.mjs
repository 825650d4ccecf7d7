// Writes, when the package is packed, sbom.cdx.json (CycloneDX: the parts that are installed with the package and those that it
// fetches) and THIRD_PARTY_LICENSES.txt (the licence text of each). Without time and random numbers, so that two packs of one
// tree have the same bytes.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installedParts } from './installed-parts.mjs';
import { licenceTexts } from './licence-texts.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const { name, version, dependencies } = readJson('package.json');
const { libtorchVersion } = await import(pathToFileURL(join(root, 'dist', 'libtorch', 'version.js')).href);
const parts = installedParts(readJson('package-lock.json'), Object.keys(dependencies));

// All, and then those that are installed: of `--omit dev` npm leaves out what a tool asks for too.
const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
const { stdout, stderr, status } = spawnSync('npm', args, {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
});
if (status !== 0) {
  console.error(`sbom: npm sbom ended with ${status}\n${stderr}`);
  process.exit(1);
}
const { serialNumber: _number, metadata, ...bom } = JSON.parse(stdout);
const { timestamp: _time, tools: _tools, ...facts } = metadata;
const self = `${name}@${version}`;
bom.metadata = { ...facts, component: { ...facts.component, name, purl: `pkg:npm/${self}` } };
const ids = new Set(parts.map(({ id }) => id));
bom.components = bom.components
  .filter((component) => ids.has(component['bom-ref']))
  .sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1));
const lacking = parts.filter(({ id }) => !bom.components.some((component) => component['bom-ref'] === id));
if (lacking.length > 0) {
  console.error(`sbom: npm does not name ${lacking.map(({ id }) => id).join(', ')}`);
  process.exit(1);
}
bom.dependencies = bom.dependencies
  .filter(({ ref }) => ref === self || ids.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((id) => ids.has(id)) }));
bom.components.push({
  'bom-ref': `libtorch@${libtorchVersion}`,
  type: 'library',
  name: 'libtorch',
  version: libtorchVersion,
  scope: 'required',
  description: 'fetched or found where the package is installed, never shipped (docs/install.md)',
  licenses: [{ license: { id: 'BSD-3-Clause' } }],
  purl: `pkg:pypi/torch@${libtorchVersion}`,
});
writeFileSync(join(root, 'sbom.cdx.json'), `${JSON.stringify(bom, null, 1)}\n`);
writeFileSync(join(root, 'THIRD_PARTY_LICENSES.txt'), licenceTexts(root, parts));
console.log(`sbom: ${bom.components.length} parts, with the licence text of each`);

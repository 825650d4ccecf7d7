// Writes sbom.cdx.json, the parts that are installed with the package and those that it fetches, as CycloneDX (run by `npm pack`).
// Without time and random numbers, so that two packs of one tree have the same bytes.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { libtorchVersion } = await import(pathToFileURL(join(root, 'dist', 'libtorch', 'version.js')).href);

const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
const { stdout, stderr, status } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
if (status !== 0) {
  console.error(`sbom: npm sbom ended with ${status}\n${stderr}`);
  process.exit(1);
}
const { serialNumber: _number, metadata, ...bom } = JSON.parse(stdout);
const { timestamp: _time, tools: _tools, ...facts } = metadata;
bom.metadata = { ...facts, component: { ...facts.component, name, purl: `pkg:npm/${name}@${version}` } };
bom.components = [...bom.components]
  .sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1))
  .concat({
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
console.log(`sbom: ${bom.components.length} parts`);

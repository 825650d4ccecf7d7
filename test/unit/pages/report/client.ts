/** The page's scripts, compiled anew, so that no test sees those of an older build. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../../../src/files/package-root.js';
import { clientScripts } from '../../../../src/pages/report/client-scripts.js';

export async function compiledScripts(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'crane-client-'));
  try {
    const project = join(packageRoot, 'src', 'pages', 'report', 'client', 'tsconfig.json');
    const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    await promisify(execFile)(process.execPath, [compiler, '-p', project, '--outDir', folder]);
    return await clientScripts(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

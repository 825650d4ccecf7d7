// npm's install script, also `npm run build`: compiles TypeScript in a clone, then gets or builds the engine.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isClone = existsSync(join(root, 'src', 'errors.ts'));

function compileTypeScript() {
  let compiler;
  try {
    compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  } catch {
    if (existsSync(join(root, 'dist', 'build', 'install.js'))) return 0;
    console.error('crane-native: this clone has no dist/ and TypeScript is not installed.');
    console.error('  what to do: install with the development dependencies: npm ci --include=dev');
    return 5;
  }
  // the product, and the scripts of the test report, which run in a browser
  for (const project of ['.', join('src', 'pages', 'report', 'client')]) {
    const config = join(root, project, 'tsconfig.json');
    const result = spawnSync(process.execPath, [compiler, '-p', config], { encoding: 'utf8' });
    if (result.status === 0) continue;
    console.error(`crane-native: the TypeScript sources do not compile:\n${result.stdout}${result.stderr}`);
    return 1;
  }
  const page = spawnSync(process.execPath, [join(root, 'scripts', 'build-page.mjs')], { encoding: 'utf8' });
  if (page.status === 0) return 0;
  console.error(`crane-native: the page of the service cannot be bundled:\n${page.stderr}`);
  return 1;
}

let status = isClone ? compileTypeScript() : 0;
if (status === 0) {
  const { install } = await import(pathToFileURL(join(root, 'dist', 'build', 'install.js')).href);
  status = await install();
}
process.exitCode = status;

// Bundles the script of the service's page into dist/: node scripts/build-page.mjs (part of npm run build:ts)
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

await build({
  absWorkingDir: root,
  entryPoints: ['src/pages/service/client/main.tsx'],
  outfile: 'dist/pages/service/client/main.js',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
});

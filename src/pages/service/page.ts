/** The service's page: a frame, the style of all pages, and the script that was bundled when the package was made. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CraneError } from '../../errors.js';
import { packageRoot } from '../../files/package-root.js';
import { html } from '../html.js';
import { baseStyle } from '../style.js';

/** From scripts/build-page.mjs. */
const k_script = join(packageRoot, 'dist', 'pages', 'service', 'client', 'main.js');

const k_style = `
main { padding-top: .5rem; }
h2 { border: 0; margin: 0 0 .3rem; padding: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .92rem; }
.row { display: flex; flex-wrap: wrap; gap: .6rem 1.2rem; align-items: center; margin: .7rem 0; }
.drop { border: 2px dashed var(--line); border-radius: .6rem; padding: .2rem 1rem; background: var(--card); }
.drop.over-it { border-color: var(--accent); }
button, select, input[type=password], input[type=text] { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--soft); border-radius: .4rem; padding: .45rem .9rem; min-height: 2.75rem; }
select, .row > label { max-width: 100%; } button { cursor: pointer; } button:disabled { cursor: default; opacity: .55; }
button.main { background: var(--accent); color: var(--card); border-color: var(--accent); font-weight: 600; }
input[type=checkbox] { width: 1.2rem; height: 1.2rem; vertical-align: middle; }
.slider { display: inline-flex; align-items: center; gap: .5rem; } .slider input { width: min(16rem, 40vw); min-height: 2rem; accent-color: var(--accent); }
output { font-variant-numeric: tabular-nums; }
.camera { flex-basis: 100%; } .camera video { display: block; max-width: 100%; width: 40rem; border-radius: .4rem; margin: .6rem 0; }
.said { font-weight: 600; }
.columns { display: grid; grid-template-columns: minmax(16rem, 22rem) minmax(0, 1fr); gap: 1.2rem; align-items: start; }
.history { list-style: none; margin: 0; padding: 0; max-height: 70vh; overflow-y: auto; }
.history button { display: grid; grid-template-columns: 3.5rem 1fr; gap: 0 .7rem; width: 100%; text-align: left; margin: 0 0 .35rem; padding: .35rem; align-items: center; }
.history button[aria-pressed=true] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.history img { grid-row: 1 / 3; width: 3.5rem; height: 3.5rem; object-fit: cover; border-radius: .25rem; }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.is { font-size: .9rem; font-variant-numeric: tabular-nums; }
.is.normal, strong.normal { color: var(--right); } .is.anomalous, strong.anomalous { color: var(--anomalous-ink); font-weight: 700; } .is.failed, .wrong { color: var(--wrong); } .is.waiting { color: var(--soft); }
.detail .stack { max-width: 100%; } .over { position: absolute; inset: 0; width: 100%; height: 100%; } .alone { width: 100%; }
svg.over rect { fill: none; stroke: #fff; stroke-width: 2; vector-effect: non-scaling-stroke; outline: 1px solid #000; }
.scale { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; font-size: .85rem; }
.good { margin-top: .6rem; } .good fieldset { border: 0; margin: 0; padding: 0; min-width: 0; } .good legend { font-weight: 600; padding: 0; } .good ul { list-style: none; margin: 0; padding: 0; max-height: 40vh; overflow-y: auto; } .good label { display: inline-flex; align-items: center; gap: .5rem; max-width: 100%; min-height: 2.75rem; } .good label > input, .good img { flex: none; } .good img { width: 2.5rem; height: 2.5rem; object-fit: cover; border-radius: .25rem; }
.kept summary { cursor: pointer; min-height: 2.75rem; padding: .5rem 0; } .kept ul { list-style: none; margin: 0; padding: 0; } .kept li { justify-content: space-between; border-bottom: 1px solid var(--line); margin: 0; padding: .3rem 0; overflow-wrap: anywhere; } .kept li > span { min-width: 0; }
dialog { color: var(--ink); width: min(32rem, calc(100vw - 2rem)); padding: 1rem; } dialog::backdrop { background: #000a; } dialog .row { justify-content: flex-end; }
caption { text-align: left; font-weight: 600; }
@media (max-width: 48rem) { .slider { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr) 3.2rem; flex-basis: 100%; } .slider input { width: 100%; } .columns { grid-template-columns: minmax(0, 1fr); } .history { display: flex; overflow-x: auto; gap: .4rem; } .history li { flex: 0 0 13rem; } .detail { grid-row: 1; } }
@media (prefers-reduced-motion: no-preference) { .drop { transition: border-color .15s; } }
`;

export interface PageFile {
  path: string;
  type: string;
  content: string;
}

/** What a browser loads: nothing of it comes from elsewhere. @throws CraneError E_IO_READ when the package was not built */
export async function pageFiles(scriptPath: string = k_script): Promise<PageFile[]> {
  const script = await readFile(scriptPath, 'utf8').catch((cause: unknown) => {
    throw new CraneError('E_IO_READ', `${scriptPath}: the page's script is missing`, {
      hint: 'build it: npm run build:ts',
      cause,
    });
  });
  const frame = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Find defects</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<script type="module" src="page.js"></script>
</head>
<body>
<main><noscript><p>This page needs scripts. The service itself does not: POST pictures to v1/score.</p></noscript></main>
</body>
</html>
`;
  return [
    { path: '/', type: 'text/html; charset=utf-8', content: frame.text },
    { path: '/page.css', type: 'text/css; charset=utf-8', content: baseStyle + k_style },
    { path: '/page.js', type: 'text/javascript; charset=utf-8', content: script },
  ];
}

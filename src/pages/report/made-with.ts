/** What someone needs who wants the same figures again. */

import type { TestRun } from '../../runs/test-run.js';
import { type Html, html } from '../html.js';

export function madeWith(run: TestRun, made: readonly (readonly [term: string, value: string])[]): Html {
  const { settings, versions, machine, dataSets } = run;
  const { normals, method, bootstrap, size } = settings;
  const prompts = settings.prompts?.sha256 === normals?.sha256 ? null : settings.prompts;
  const facts: (readonly [string, string])[] = [
    ...made,
    ['Model', settings.model],
    [
      'Prompts',
      prompts ? `${prompts.name}, sha256 ${prompts.sha256}` : 'none: nothing of the method is learned',
    ],
    ...(normals === undefined
      ? []
      : ([
          [
            'Normal pictures',
            `${normals.pictures.length}: ${normals.pictures.map(({ name, sha256 }) => `${name} (sha256 ${sha256})`).join(', ')}`,
          ],
        ] as const)),
    ...(settings.preset === null ? [] : ([['Preset', settings.preset]] as const)),
    [
      'Input',
      `${size.width} × ${size.height} pixels, fit ${settings.fit}${settings.fit === 'tile' ? ` (overlap ${settings.tileOverlap})` : ''}${settings.exif ? '' : ', EXIF orientation ignored'}`,
    ],
    [
      'Method',
      Object.entries(method)
        .map(
          ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
        )
        .join(', '),
    ],
    ['Split', settings.split],
    ['AUPRO limits', settings.limits.join(', ')],
    [
      'Intervals',
      bootstrap === null
        ? 'none'
        : `${100 * bootstrap.level} % percentile bootstrap over pictures, ${bootstrap.resamples} resamples, seed ${bootstrap.seed}`,
    ],
    ...dataSets.map(({ name, root, layout }) => [`Data set ${name}`, `${root} (layout ${layout})`] as const),
    ['Versions', listed(versions)],
    ['Machine', listed(machine)],
  ];
  return html`<section id="made-with" aria-labelledby="made-title"><h2 id="made-title">Made with</h2>
<dl class="facts">${facts.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>`)}</dl></section>`;
}

function listed(facts: Record<string, string | number>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

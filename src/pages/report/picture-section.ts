/** Pictures of each class that a threshold gets wrong first, and clear ones, with map, overlay and the outline of the mask. */

import type { TestedDataSet } from '../../runs/test-run.js';
import { dataUrl, type Html, html } from '../html.js';
import type { Role } from './choose-pictures.js';
import type { Illustration } from './illustrate.js';
import { scoreText } from './text.js';

const k_roles: Record<Role, string> = {
  'faint anomalous': 'anomalous, lowest score',
  'suspicious normal': 'normal, highest score',
  'clear anomalous': 'anomalous, highest score',
  'clear normal': 'normal, lowest score',
};

export interface PictureSection {
  sets: readonly TestedDataSet[];
  illustrations: readonly Illustration[];
  threshold: number | undefined;
  /** PNG */
  legend: Uint8Array;
  range: { low: number; high: number };
  /** what is not shown and why, one sentence each */
  notes: readonly string[];
}

/** In pieces: the pictures of a page are most of its bytes. */
export function* pictureSection(section: PictureSection): Generator<Html> {
  const { sets, illustrations, threshold, legend, range, notes } = section;
  yield html`<section id="pictures" aria-labelledby="pictures-title">
<h2 id="pictures-title">Pictures</h2>
<p>Of each class those that mislead first: anomalous pictures with the lowest scores and normal ones with the highest, then clear cases. All maps share one scale of colours, ${range.low} to ${range.high}.</p>
<p class="legend"><img alt="Colours of the maps, from ${range.low} to ${range.high}" src="${dataUrl(legend, 'png')}"></p>
${notes.map((note) => html`<p class="notes">${note}</p>`)}
<input type="checkbox" id="outlines" checked><label for="outlines"> Outline of the mask</label>
`;
  for (const [at, set] of sets.entries()) {
    for (const { className } of set.classes) {
      const own = illustrations.filter((one) => one.set === at && one.className === className);
      if (own.length === 0) continue;
      yield html`<h3>${set.name}${set.classes.length > 1 && html`: ${className}`}</h3>\n<ul class="cards">`;
      for (const one of own) yield card(one, threshold);
      yield html`</ul>\n`;
    }
  }
  yield html`</section>\n`;
}

function card(one: Illustration, threshold: number | undefined): Html {
  const { picture, role, width, height, original, map, overlay, outline } = one;
  const size = html`width="${width}" height="${height}" loading="lazy" decoding="async"`;
  const ring = outline && html`<img class="outline" alt="" ${size} src="${dataUrl(outline, 'png')}">`;
  const view = (name: string, bytes: Uint8Array | null, withRing: boolean) =>
    bytes &&
    html`<figure><div class="stack"><img alt="${name} of ${picture.path}" ${size} src="${dataUrl(bytes, 'jpeg')}">${withRing && ring}</div><figcaption>${name}</figcaption></figure>`;
  const truth = picture.isAnomalous ? 'anomalous' : 'normal';
  return html`<li class="card" data-score="${picture.score}" data-truth="${truth}"${threshold !== undefined && html` data-verdict="${verdict(picture, threshold).sign}"`}>
<div class="head"><span class="role ${truth}">${k_roles[role]}</span>${threshold !== undefined && html`<span class="verdict">${verdict(picture, threshold).text}</span>`}<span class="score">score <b>${scoreText(picture.score)}</b></span></div>
<div class="views">${view('picture', original, true)}${view('map', map, false)}${view('overlay', overlay, true)}</div>
<p class="path">${picture.path}<span>${picture.kind}${picture.maskPath === null && picture.isAnomalous && ', no mask'}${map === null && ', map not kept'}</span></p>
</li>
`;
}

function verdict({ score, isAnomalous }: { score: number; isAnomalous: boolean }, threshold: number) {
  const isCalled = score >= threshold;
  if (isCalled === isAnomalous) return { sign: 'right', text: isAnomalous ? 'found' : 'rightly normal' };
  return { sign: 'wrong', text: isAnomalous ? 'missed' : 'false alarm' };
}

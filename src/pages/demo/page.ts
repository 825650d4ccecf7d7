/**
 * One HTML page that shows scored pictures: self-contained (no script, no font, no request), light and dark,
 * printable, usable with keyboard and screen reader. Every text is escaped.
 */
import { dataUrl, escapeHtml } from '../html.js';
import { baseStyle } from '../style.js';

export interface PagePicture {
  name: string;
  width: number;
  height: number;
  score: number;
  /** null: no threshold is known */
  anomalous: boolean | null;
  regions: number | null;
  /** what is known to be true: kind of defect or 'good' */
  truth?: { set: string; kind: string; anomalous: boolean };
  /** files of pictures, as bytes */
  original: Uint8Array;
  overlay: Uint8Array;
  outline?: Uint8Array;
  /** the same picture compared with `count` good ones instead of prompts */
  byGood?: {
    count: number;
    score: number;
    anomalous: boolean | null;
    regions: number | null;
    overlay: Uint8Array;
  };
}

export interface Page {
  title: string;
  /** sentences above the pictures */
  notes: string[];
  model: string;
  mapThreshold: number | null;
  /** the colour scale, PNG */
  legend: Uint8Array;
  pictures: PagePicture[];
}

/** @returns the page in pieces, so that no long text is built at once */
export function* pageOf({ title, notes, model, mapThreshold, legend, pictures }: Page): Generator<string> {
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#pictures">To the pictures</a>
<header>
<h1>${escapeHtml(title)}</h1>
${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}
<p class="legend"><img alt="Colour scale of the maps, from low to high${mapThreshold === null ? '' : `; mark at ${mapThreshold}`}" src="${dataUrl(legend, 'png')}"></p>
</header>
<main id="pictures">
<input type="checkbox" id="outlines" checked><label for="outlines">Outline of the true defect</label>
<ul class="cards">
`;
  for (const picture of pictures) yield card(picture);
  yield `</ul>
</main>
<footer><p>${escapeHtml(model)}</p></footer>
</body>
</html>
`;
}

function card(picture: PagePicture): string {
  const { name, width, height, truth, original, overlay, outline, byGood } = picture;
  const size = `width="${width}" height="${height}"`;
  const ring = outline ? `<img class="outline" alt="" ${size} src="${dataUrl(outline, 'png')}">` : '';
  const shown = (bytes: Uint8Array, alt: string, caption: string, facts: string) =>
    `<figure><div class="stack"><img alt="${escapeHtml(alt)}" ${size} src="${dataUrl(bytes, 'jpeg')}">${ring}</div><figcaption>${escapeHtml(caption)}${facts}</figcaption></figure>`;
  const known: [string, string][] = truth ? [['Known', `${truth.set}: ${truth.kind}`]] : [];
  const good = byGood
    ? `\n${shown(byGood.overlay, `Heat map of ${name} by good pictures`, `by ${byGood.count} good pictures`, list(verdictOf(byGood)))}`
    : '';
  return `<li class="card${picture.anomalous === true ? ' anomalous' : ''}">
<h2>${escapeHtml(name)}</h2>
<div class="pair${byGood ? ' three' : ''}">
${shown(original, `Original of ${name}`, 'original', list(known))}
${shown(overlay, `Heat map of ${name}`, byGood ? 'by prompts' : 'anomaly map', list(verdictOf(picture)))}${good}
</div>
</li>
`;
}

function verdictOf({ score, anomalous, regions }: Pick<PagePicture, 'score' | 'anomalous' | 'regions'>) {
  return [
    ['Score', score.toFixed(4)],
    ...(anomalous === null ? [] : [['Verdict', anomalous ? 'anomalous' : 'normal']]),
    ...(regions === null ? [] : [['Regions', String(regions)]]),
  ] as [string, string][];
}

function list(facts: [string, string][]): string {
  if (facts.length === 0) return '';
  return `<dl>${facts.map(([term, value]) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>`;
}

const style = `${baseStyle}
header, main, footer { max-width: 96rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 1.25rem; } footer { padding-bottom: 2rem; font-size: .85rem; overflow-wrap: anywhere; }
.cards { margin: 1rem 0; grid-template-columns: repeat(auto-fill, minmax(min(28rem, 100%), 1fr)); }
.card.anomalous { border-left: .35rem solid var(--wrong); }
.card h2 { font-size: 1rem; margin: 0 0 .5rem; padding: 0; border: 0; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem; }
.pair.three { grid-template-columns: repeat(auto-fit, minmax(min(9rem, 100%), 1fr)); }
figcaption { font-size: .85rem; color: var(--soft); }
dl { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .35rem 0 0; }
dt { font-size: .8rem; color: var(--soft); } dd { margin: 0; color: CanvasText; font-weight: 600; font-variant-numeric: tabular-nums; }
@media print { header, main, footer { max-width: none; padding: 0; } #outlines, label { display: none; } .cards { grid-template-columns: 1fr 1fr; } }
`;

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readingOf } from '../../../../src/images/reading.js';
import { choosePictures } from '../../../../src/pages/report/choose-pictures.js';
import { type Illustration, illustrate, isShown } from '../../../../src/pages/report/illustrate.js';
import { reportPage } from '../../../../src/pages/report/page.js';
import type { TestRun } from '../../../../src/runs/test-run.js';
import { makeFakeAddon } from '../../engine/fake-addon.js';
import { compiledScripts } from './client.js';
import { drawFixturePictures, fixtureRun, hostileClass, hostileSet } from './fixture-run.js';

let folder: string;
let scripts: string[];
let run: TestRun;
let illustrations: Illustration[];
let page: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane report '));
  scripts = await compiledScripts();
  run = fixtureRun();
  await drawFixturePictures(run, folder);
  illustrations = await draw(run);
  page = pageOf(run, illustrations);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function draw(of: TestRun): Promise<Illustration[]> {
  const options = {
    addon: makeFakeAddon(),
    folder,
    sets: of.dataSets,
    range: { low: 0, high: 1 },
    reading: readingOf(),
  };
  const drawn = [];
  for (const chosen of choosePictures(of.dataSets, 12).pictures)
    drawn.push(await illustrate(chosen, options));
  return drawn.filter(isShown);
}

function pageOf(of: TestRun, shown: Illustration[] = [], made: [string, string][] = []): string {
  const legend = Uint8Array.from([1, 2, 3]);
  return [
    ...reportPage({
      run: of,
      made,
      illustrations: shown,
      legend,
      range: { low: 0, high: 1 },
      pictureNotes: [],
      scripts,
    }),
  ].join('');
}

function rowOf(html: string, name: string): string {
  const row = html.split('<tr>').find((part) => part.startsWith(`<th scope="row">${name}`));
  if (row === undefined) throw new Error(`no row ${name}`);
  return row.slice(0, row.indexOf('</tr>'));
}

function texts(row: string): string[] {
  return row.split('</td>').map((cell) =>
    cell
      .replace(/<small.*?<\/small>/g, '')
      .replace(/<[^>]*>/g, ' ')
      .trim(),
  );
}

/** The first match in what a reader of the page gets: no base64, no script. Short, where a test fails. */
function found(html: string, pattern: RegExp): string | null {
  const readable = html.replace(/base64,[A-Za-z0-9+/=]+/g, '').replace(/<script[\s\S]*?<\/script>/g, '');
  return pattern.exec(readable)?.[0] ?? null;
}

describe('what leaves the page', () => {
  it('refers to nothing outside: pictures are data, and no other element can load', () => {
    for (const [, address] of page.matchAll(/\b(?:src|href|srcset|action|data|poster)="([^"]*)"/g))
      expect(address).toMatch(/^(#[a-z0-9-]+|data:image\/(png|jpeg);base64,[A-Za-z0-9+/=]+)$/);
    expect(found(page, /https?:|url\(|@import|<link|<iframe|<object|<embed|<base/i)).toBeNull();
  });

  it('allows its own style and scripts alone, by their hash', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/
      .exec(page)?.[1]
      ?.replaceAll('&#39;', "'");
    const inline = [...page.matchAll(/<(?:style|script)>([\s\S]*?)<\/(?:style|script)>/g)].map(
      ([, text]) => text!,
    );
    expect(inline).toHaveLength(1 + scripts.length);
    for (const text of inline) expect(policy).toContain(createHash('sha256').update(text).digest('base64'));
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(found(page, /<[^>]* (on[a-z]+|style)="/)).toBeNull();
    for (const script of scripts) expect(script).not.toMatch(/eval\(|Function\(|innerHTML/);
  });
});

describe('hostile names', () => {
  it('stay text wherever they stand', () => {
    expect(found(page, /<img src=x|<svg onload|<b>bold/)).toBeNull();
    expect(found(page, /&lt;\/script&gt;&lt;img src=x/)).not.toBeNull();
    expect(found(page, /_&quot;&gt;&lt;svg onload=globalThis.bad=1&gt; \ufffdgnp.exe.png/)).not.toBeNull();
    expect(found(page, /\u202e/)).toBeNull();
  });

  it('cannot end the block of scores, which still reads as they are', () => {
    const block = /<script type="application\/json" id="scores">([\s\S]*?)<\/script>/.exec(page)![1]!;
    const { groups } = JSON.parse(block) as { groups: { label: string }[] };
    expect(groups.map(({ label }) => label)).toContain(`steel_parts: ${hostileClass}`);
  });
});

describe('figures', () => {
  it('stand in the columns of the paper, first those of pictures, then those of pixels', () => {
    const table = page.slice(page.indexOf('class="figures"', page.indexOf('id="set-0"')));
    const heads = [
      ...table.slice(0, table.indexOf('</thead>')).matchAll(/<th scope="col"[^>]*>([^<]*)/g),
    ].map(([, text]) => text);
    expect(heads).toEqual([
      'AUROC',
      'AP',
      'F1max',
      'AUROC',
      'AUPRO 0.3',
      'F1max',
      'AP',
      'AUPRO 0.3',
      'AUPRO 0.05',
      'AUPRO 0.05',
    ]);
  });

  it('are those of the run, with an interval and the paper below', () => {
    const { image, pixel } = run.dataSets[0]!.classes[0]!.metrics;
    const row = rowOf(page, 'bolt');
    const shown = texts(row).slice(1, 8);
    const wanted = [
      image.auroc,
      image.ap,
      image.f1Max,
      pixel.auroc,
      pixel.aupro[1]!.reference200,
      pixel.f1Max,
      pixel.ap,
    ];
    expect(shown).toEqual(wanted.map(({ value }) => (100 * value!).toFixed(1)));
    expect(row).toContain('81.0–93.0');
    expect(row).toContain('paper 90.1');
  });

  it('that are not defined are n/a with their reason, never 0', () => {
    expect(texts(rowOf(page, 'surface without'))[1]).toMatch(/^n\/a/);
    expect(found(page, /<abbr title="one label only">/)).not.toBeNull();
    expect(found(page, /not defined:.*one label only.*no maps/)).not.toBeNull();
  });

  it('have their mean in both conventions, each named', () => {
    const { leftOut, asZero } = run.dataSets[0]!.mean;
    expect(texts(rowOf(page, 'mean of 5 classes'))[1]).toContain(
      (100 * leftOut.image.auroc.value!).toFixed(1),
    );
    expect(texts(rowOf(page, 'the same mean'))[1]).toContain((100 * asZero.image.auroc.value!).toFixed(1));
    expect(rowOf(page, 'the same mean')).toContain("reference's convention");
  });

  it("show the paper's row and how far ours is from it", () => {
    const ours = 100 * run.dataSets[0]!.mean.leftOut.image.auroc.value!;
    const row = page.slice(page.indexOf('<tr class="paper">'));
    expect(row).toContain(`81.4<small>+${(ours - 81.4).toFixed(1)}</small>`);
    expect(found(page, /prints the pixel AUROC of &quot;tubes&quot; twice/)).not.toBeNull();
  });
});

describe('what has to be known first', () => {
  it('says loudly when the prompts were learned on a tested set, before any figure', () => {
    const alarm = page.indexOf('Not a zero-shot result');
    expect(alarm).toBeGreaterThan(0);
    expect(alarm).toBeLessThan(page.indexOf('id="figures"'));
    const clean = fixtureRun();
    clean.dataSets[1]!.learnedOn = null;
    expect(found(pageOf(clean), /zero-shot result</)).toBeNull();
  });

  it('names the learned sets, and says when they are not known', () => {
    expect(found(page, /learned on <b>toys, bad&#39;set/)).not.toBeNull();
    const unknown = fixtureRun();
    unknown.settings.prompts!.learnedOn = null;
    expect(found(pageOf(unknown), /does not say which data sets/)).not.toBeNull();
  });

  it('says each warning once, and that an average holds learned sets', async () => {
    const { warningsOf } = await import('../../../../src/runs/warnings.js');
    const warned = fixtureRun();
    warned.warnings = warningsOf(warned.dataSets, warned.settings.prompts);
    expect(warned.warnings).toHaveLength(2);
    const html = pageOf(warned);
    expect(html.match(/<li>bad&#39;set[^<]*no zero-shot/g)).toBeNull();
    expect(html.match(/<ul class="warnings"><li>/g)).toHaveLength(1);
    expect(found(html, /with sets that the prompts were learned on/)).not.toBeNull();
  });

  it('shows the warnings and failed pictures of the run', () => {
    expect(found(page, /1 picture of bad&#39;set/)).not.toBeNull();
    expect(found(page, /1 failed/)).not.toBeNull();
  });
});

describe('what is not there', () => {
  it('makes a page of a run without a single score', () => {
    const empty = fixtureRun();
    empty.dataSets.splice(1);
    const [set] = empty.dataSets;
    set!.classes.splice(0, set!.classes.length);
    const made = pageOf(empty);
    expect(made.includes('id="scores"')).toBe(false);
    expect(found(made, /NaN|Infinity/)).toBeNull();
  });

  it('makes a page where all scores are equal', () => {
    const equal = fixtureRun();
    for (const { classes } of equal.dataSets)
      for (const { pictures } of classes)
        for (const picture of pictures) if ('score' in picture) picture.score = 0.5;
    const made = pageOf(equal);
    expect(found(made, /NaN|Infinity/)).toBeNull();
    expect(found(made, /id="threshold-range"/)).not.toBeNull();
  });

  it('contains no NaN and no undefined', () => {
    expect(found(page, /NaN|Infinity|[>"]undefined[<"]/)).toBeNull();
  });
});

describe('pictures', () => {
  it('are shown with map, overlay and the outline of their mask', () => {
    const card = page.split('<li class="card"')[1]!;
    for (const name of ['picture', 'map', 'overlay']) expect(card).toContain(`>${name}</figcaption>`);
    expect(card.match(/class="outline"/g)).toHaveLength(2);
  });

  it('are small whatever the original was', () => {
    for (const { width, height, original } of illustrations) {
      expect(Math.max(width, height)).toBeLessThanOrEqual(320);
      expect(original.length).toBeLessThan(60_000);
    }
  });

  it(`that are gone are named, and the page is made without them (${hostileSet})`, async () => {
    const gone = fixtureRun();
    const chosen = choosePictures(gone.dataSets, 1).pictures[0]!;
    const options = {
      addon: makeFakeAddon(),
      folder,
      sets: gone.dataSets,
      range: { low: 0, high: 1 },
      reading: readingOf(),
    };
    const drawn = await illustrate(chosen, options);
    expect(isShown(drawn)).toBe(false);
    expect('error' in drawn && drawn.error.code).toBe('E_INPUT_NOT_FOUND');
  });
});

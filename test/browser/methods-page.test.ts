/** The page of several methods in headless Chromium: the maps of a picture beside each other, the mask's outline on each. */
import { type Browser, chromium } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findChromium } from '../../scripts/find-chromium.mjs';
import { comparePage } from '../../src/pages/methods/compare-page.js';
import type { Illustration } from '../../src/pages/report/illustrate.js';
import { isScored } from '../../src/runs/test-run.js';
import { fixtureRun } from '../unit/pages/report/fixture-run.js';

const labels = ['crane', 'crane+', 'adaclip', 'anomalyclip', 'anovl', 'vand', 'winclip'];
/** as many and as long as those of `test --methods --compare-paper` */
const heads = [
  'image AUROC',
  'image AP',
  'image F1max',
  'pixel AUROC',
  'pixel AUPRO @0.3 200',
  'pixel F1max',
].concat(['pixel AP', 'pixel AUPRO @0.3 exact', 'pixel AUPRO @0.05 exact']);
const rows = labels.flatMap((label) => [
  { label, isPublished: false, cells: heads.map(() => '88.8') },
  { label: 'published: AnomalyCLIP', isPublished: true, cells: heads.map(() => 'n/a') },
]);
let browser: Browser;
let html: string;

beforeAll(async () => {
  const background = { r: 90, g: 90, b: 90 };
  const drawn = sharp({ create: { width: 160, height: 160, channels: 3, background } });
  const [jpeg, png] = [await drawn.clone().jpeg().toBuffer(), await drawn.clone().png().toBuffer()];
  const run = fixtureRun();
  const picture = run.dataSets[0]!.classes[0]!.pictures.find(isScored)!;
  const view: Illustration = {
    ...{ set: 0, className: 'nut', role: 'clear anomalous', picture, width: 160, height: 160 },
    ...{ original: jpeg, map: jpeg, overlay: jpeg, outline: png },
  };
  const row = { dataSet: 'mine', className: 'nut', path: 'a.png', isAnomalous: true };
  html = [
    ...comparePage({
      title: 'methods side by side',
      tables: [{ dataSet: 'mine', heads, rows }],
      notes: [],
      runs: labels.map((label) => ({ label, folder: '', run })),
      pictures: { pictures: [{ ...row, views: labels.map(() => view) }], notes: [] },
      warnings: Array.from({ length: 9 }, (_, at) => `warning ${at}`),
    }),
  ].join('');
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium: set CHROMIUM_PATH');
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}, 60_000);
afterAll(() => browser?.close());

it.each([
  [1280, 1],
  [390, 4],
])(
  'at %i pixels the pictures have one size and the outline of the mask lies on each',
  async (width, rows) => {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    try {
      await page.setContent(html);
      const boxes = async (selector: string) =>
        Promise.all((await page.locator(selector).all()).map((image) => image.boundingBox()));
      const pictures = await boxes('.stack img:not(.mask)');
      expect(pictures).toHaveLength(8);
      expect(await boxes('.stack img.mask')).toEqual(pictures);
      expect(new Set(pictures.map((box) => box!.width)).size).toBe(1);
      expect(new Set(pictures.map((box) => box!.y)).size).toBe(rows);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      // Every column of a table is on a wide screen; on a narrow one the table alone is moved.
      const hidden = await page.locator('.scroll').evaluate((box) => box.scrollWidth - box.clientWidth);
      expect(hidden > 0).toBe(width < 600);
      expect(await page.locator('.warnings li:visible').count()).toBe(3);
      await page.locator('summary').click();
      expect(await page.locator('.warnings li:visible').count()).toBe(9);
    } finally {
      await page.close();
    }
  },
  60_000,
);

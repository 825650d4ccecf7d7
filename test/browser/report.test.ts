/** The report in headless Chromium: what a reader does with pointer and keyboard, and that nothing leaves the page. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../scripts/find-chromium.mjs';
import { legend } from '../../src/images/heat-map.js';
import { readingOf } from '../../src/images/reading.js';
import { choosePictures } from '../../src/pages/report/choose-pictures.js';
import { illustrate, isShown } from '../../src/pages/report/illustrate.js';
import { reportPage } from '../../src/pages/report/page.js';
import { countsAt, scoreGroups } from '../../src/pages/report/score-groups.js';
import type { TestRun } from '../../src/runs/test-run.js';
import { makeFakeAddon } from '../unit/engine/fake-addon.js';
import { compiledScripts } from '../unit/pages/report/client.js';
import { drawFixturePictures, fixtureRun } from '../unit/pages/report/fixture-run.js';

let folder: string;
let file: string;
let browser: Browser;
let run: TestRun;
/** what went wrong or out in the page of the running test */
let noise: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crane browser '));
  file = join(folder, 'report.html');
  run = fixtureRun();
  await drawFixturePictures(run, folder);
  const addon = makeFakeAddon();
  const range = { low: 0, high: 1 };
  const options = { addon, folder, sets: run.dataSets, range, reading: readingOf() };
  const drawn = [];
  for (const chosen of choosePictures(run.dataSets, 40).pictures)
    drawn.push(await illustrate(chosen, options));
  const page = reportPage({
    run,
    made: [],
    illustrations: drawn.filter(isShown),
    legend: await legend(addon, 360, { ...range, mapThreshold: null, format: 'jpg' }),
    range,
    pictureNotes: [],
    scripts: await compiledScripts(),
  });
  await writeFile(file, [...page].join(''));
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium: set CHROMIUM_PATH');
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => expect(noise).toEqual([]));

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  noise = [];
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  page.on('console', (message) => noise.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => noise.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith('data:') && address !== pathToFileURL(file).href)
      noise.push(`request: ${address}`);
  });
  await page.goto(pathToFileURL(file).href);
  return page;
}

const shown = async (page: Page) => ({
  threshold: Number(await page.inputValue('#threshold-value')),
  truePositives: Number(await page.textContent('[data-out=truePositives]')),
  falsePositives: Number(await page.textContent('[data-out=falsePositives]')),
  precision: await page.textContent('[data-out=precision]'),
  recall: await page.textContent('[data-out=recall]'),
  said: await page.textContent('#said'),
});

describe('the threshold', () => {
  it('moves by keyboard, and counts, rates, marks and verdicts follow', async () => {
    const page = await open();
    const before = await shown(page);
    const markBefore = await page.getAttribute('svg.histogram .mark', 'transform');
    await page.focus('#threshold-range');
    for (let press = 0; press < 3; press++) await page.keyboard.press('PageUp');
    const after = await shown(page);
    expect(after.threshold).toBeGreaterThan(before.threshold + 0.1);
    expect(after.truePositives).toBeLessThan(before.truePositives);
    expect(after.falsePositives).toBeLessThan(before.falsePositives);
    expect(after.precision).not.toBe(before.precision);
    expect(await page.getAttribute('svg.histogram .mark', 'transform')).not.toBe(markBefore);
    const { classes } = scoreGroups(run)!;
    const step = await page.evaluate(() => {
      const range = document.querySelector<HTMLInputElement>('#threshold-range')!;
      return { at: Number(range.value), text: range.getAttribute('aria-valuetext') };
    });
    const [low, high] = axisEnds();
    const counts = countsAt(classes, low + (step.at / 1000) * (high - low));
    expect(after.truePositives).toBe(counts.truePositives);
    expect(after.falsePositives).toBe(counts.falsePositives);
    expect(after.said).toContain(`${counts.truePositives} found`);
    expect(Number(step.text)).toBeCloseTo(after.threshold, 3);
    await page.keyboard.press('Home');
    expect((await shown(page)).recall).toBe('100.0');
    expect(await page.textContent('.card[data-truth=normal] .verdict')).toBe('false alarm');
    await page.keyboard.press('End');
    expect(await shown(page)).toMatchObject({ truePositives: 0, precision: 'n/a', recall: '0.0' });
    expect(await page.textContent('.card[data-truth=anomalous] .verdict')).toBe('missed');
    await page.close();
  });

  it('moves by a press into the histogram, a number and a button', async () => {
    const page = await open();
    await page.fill('#threshold-value', '0.75');
    expect((await shown(page)).said).toContain('At 0.7500');
    const box = (await page.locator('svg.histogram:not([hidden])').boundingBox())!;
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    const middle = (await shown(page)).threshold;
    expect(middle).toBeGreaterThan(0.4);
    expect(middle).toBeLessThan(0.6);
    await page.click('[data-choose=far][data-rate="0.01"]');
    const { falsePositives } = await shown(page);
    const { classes } = scoreGroups(run)!;
    const normal = classes.reduce((sum, one) => sum + one.normal.length, 0);
    expect(falsePositives).toBe(Math.floor(normal / 100));
    await page.close();
  });

  it('follows the chosen pictures, and shows their histogram alone', async () => {
    const page = await open();
    await page.selectOption('#group', { label: 'steel_parts: bolt' });
    expect(await page.locator('svg.histogram:not([hidden])').count()).toBe(1);
    expect((await shown(page)).said).toContain('steel_parts: bolt');
    await page.click('[data-choose=f1]');
    const { f1Max } = run.dataSets[0]!.classes[0]!.metrics.image;
    expect((await shown(page)).threshold).toBeCloseTo(f1Max.threshold!, 5);
    expect(await page.textContent('[data-out=f1]')).toBe((100 * f1Max.value!).toFixed(1));
    await page.close();
  });
});

function axisEnds(): [number, number] {
  const { low, high } = scoreGroups(run)!;
  return [low - (high - low) * 0.01, high + (high - low) * 0.01];
}

describe('keyboard', () => {
  it('reaches everything that can be worked, with a visible focus', async () => {
    const page = await open();
    const reached = new Set<string>();
    for (let press = 0; press < 60; press++) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const { activeElement } = document;
        const style = activeElement && getComputedStyle(activeElement);
        const name =
          activeElement?.id ||
          activeElement?.getAttribute('data-choose') ||
          activeElement?.getAttribute('data-look') ||
          '';
        if (activeElement === document.body) return { name: '', isVisible: true };
        return { name, isVisible: style?.outlineStyle !== 'none' && style?.outlineWidth !== '0px' };
      });
      expect(focus.isVisible, focus.name).toBe(true);
      reached.add(focus.name);
    }
    for (const name of ['theme', 'group', 'f1', 'threshold-range', 'threshold-value', 'mean', 's0', 's4'])
      expect([...reached]).toContain(name);
    await page.close();
  });

  it('hides and shows lines by their boxes', async () => {
    const page = await open();
    const lines = page.locator('.curves[data-set="0"] .chart .line:not(.off)');
    const before = await lines.count();
    await page.focus('.curves[data-set="0"] input[data-look=s0]');
    await page.keyboard.press('Space');
    expect(await lines.count()).toBe(before - 5);
    await page.click('.curves[data-set="0"] [data-show=none]');
    expect(await page.locator('.curves[data-set="0"] .chart .line.off').count()).toBe(20);
    await page.close();
  });
});

describe('looks', () => {
  const ground = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const isLight = (colour: string) => /\d+/g.exec(colour) !== null && Number(/\d+/.exec(colour)![0]) > 128;

  it('is dark where the system is, and as the button says', async () => {
    const page = await open({ colorScheme: 'dark' });
    expect(isLight(await ground(page))).toBe(false);
    await page.click('#theme');
    expect(isLight(await ground(page))).toBe(true);
    await page.click('#theme');
    expect(isLight(await ground(page))).toBe(false);
    await page.close();
  });

  it('is light in print, with nothing to press and nothing cut off', async () => {
    const page = await open({ colorScheme: 'dark', viewport: { width: 760, height: 1000 } });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(isLight(await ground(page))).toBe(true);
    expect(await page.locator('button:visible, select:visible, input:visible').count()).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(760);
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.close();
  });

  it('fits a phone', async () => {
    const page = await open({ viewport: { width: 390, height: 800 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.close();
  });
});

describe('without script', () => {
  it('shows every figure, chart and picture, and no control that does nothing', async () => {
    const page = await open({ javaScriptEnabled: false });
    expect(await page.locator('table.figures:visible').count()).toBe(3);
    expect(await page.locator('svg.chart:visible').count()).toBe(10);
    expect(await page.locator('svg.histogram:visible').count()).toBe(1);
    expect(await page.locator('#threshold-range:visible, button:visible, select:visible').count()).toBe(0);
    expect(Number(await page.textContent('[data-out=truePositives]'))).toBeGreaterThan(0);
    await page.close();
  });
});

describe('hostile names', () => {
  it('run nothing', async () => {
    const page = await open();
    expect(await page.evaluate(() => (globalThis as { bad?: number }).bad)).toBeUndefined();
    expect(await page.locator('img[src=x], svg[onload]').count()).toBe(0);
    expect((await readFile(file)).length).toBeLessThan(2_000_000);
    await page.close();
  });
});

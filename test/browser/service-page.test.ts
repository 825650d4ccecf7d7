/** The service's page in headless Chromium, before the whole service with a fake engine. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../scripts/find-chromium.mjs';
import { defaultMethod } from '../../src/methods/registry.js';
import { makeToyFolder, makeToyModel } from '../unit/engine/toy-model.js';
import { type FakeService, png, startFakeService } from '../unit/service/fake-service.js';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** Where screenshots are kept for a look; nothing compares them. */
const k_shots = process.env['CRANE_SHOTS'];

let folder: string;
let model: string;
let browser: Browser;
let service: FakeService;
let noise: string[] = [];
let bright: Buffer;
let dark: Buffer;
beforeAll(async () => {
  folder = await makeToyFolder();
  await makeToyModel(folder);
  model = join(folder, 'model.json');
  bright = await png(204, 320, 240);
  dark = await png(51, 320, 240);
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium: set CHROMIUM_PATH');
  browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  });
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await service?.stop();
  expect(noise).toEqual([]);
});

async function open(options: BrowserContextOptions = {}, settings = {}, behaviour = {}): Promise<Page> {
  service = await startFakeService(model, { maxBody: 8 * 2 ** 20, ...settings }, behaviour);
  noise = [];
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  page.on('console', (message) => {
    // A refusal that the page deals with is told by the browser all the same; canvases are read by this test alone.
    if (!/status of (401|400|404|429|500|503)|willReadFrequently/.test(message.text()))
      noise.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => noise.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(service.url) && !/^(data|blob):/.test(address)) noise.push(`request: ${address}`);
  });
  await page.goto(service.url);
  return page;
}

const files = (...pictures: [name: string, buffer: Buffer][]) =>
  pictures.map(([name, buffer]) => ({ name, mimeType: 'image/png', buffer }));
const choose = (page: Page, ...pictures: [string, Buffer][]) =>
  page.setInputFiles('input[type=file]', files(...pictures));
const said = (page: Page, text: string) => page.getByRole('status').filter({ hasText: text }).waitFor();
/** Of the two pictures that are there, by the page itself. */
async function keepBanks(page: Page, ...names: string[]): Promise<void> {
  for (const name of names) {
    await page.getByRole('button', { name: 'These are good' }).click();
    await page.getByRole('button', { name: 'All' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await page.getByRole('button', { name: 'Keep 2 as good' }).click();
    await page.getByText(`compared with the good pictures ${name}`).waitFor();
    await said(page, '2 of 2 scored');
  }
}
async function shot(page: Page, name: string): Promise<void> {
  if (k_shots) await page.screenshot({ path: join(k_shots, `${name}.png`), fullPage: true });
}
/** By eval of Playwright, which the page's content security policy does not concern. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axe, 'utf8'));
  return page.evaluate(async () => {
    const { axe: checker } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const found = await checker.run();
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
  });
}

describe('the page of the service', () => {
  it('scores chosen pictures, and the slider decides over all of them', async () => {
    const page = await open();
    await said(page, 'No picture yet');
    await choose(page, ['bright.png', bright], ['dark.png', dark]);
    await said(page, '2 of 2 scored, 1 anomalous.');
    const slider = page.getByLabel('Threshold');
    expect(await slider.inputValue()).toBe('0.5');
    await slider.fill('0.1');
    await said(page, '2 of 2 scored, 2 anomalous.');
    await slider.fill('0.9');
    await said(page, '2 of 2 scored, 0 anomalous.');
    await page.getByRole('button', { name: /dark.png/ }).click();
    expect(await page.getByRole('heading', { level: 2 }).textContent()).toBe('dark.png');
    await shot(page, 'wide');
  });

  it('draws the map and its regions, as opaque as is wanted', async () => {
    const page = await open();
    await choose(page, ['bright.png', bright]);
    await said(page, '1 of 1');
    const heat = page.locator('.stack canvas');
    // 0.8 of the whole scale: opacity 204 of 255, the colour between orange and yellow.
    const pixel = () =>
      heat.evaluate((canvas) => [
        ...(canvas as HTMLCanvasElement).getContext('2d')!.getImageData(3, 3, 1, 1).data,
      ]);
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.stack canvas');
      return canvas && canvas.getContext('2d')!.getImageData(3, 3, 1, 1).data[3]! > 0;
    });
    const [red, , blue, alpha] = await pixel();
    expect(alpha).toBe(204);
    expect(red! > 200 && blue! < 100).toBe(true);
    await page.getByLabel('Opacity of the map').fill('0.2');
    expect(await heat.evaluate((canvas) => getComputedStyle(canvas).opacity)).toBe('0.2');
    expect(await page.locator('.stack rect').count()).toBe(1);
    await page.getByLabel('Regions', { exact: true }).uncheck();
    expect(await page.locator('.stack rect').count()).toBe(0);
  });

  it('takes pictures that are dropped, pasted and from the camera', async () => {
    const page = await open({ permissions: ['camera'] });
    await said(page, 'No picture yet');
    for (const [type, field] of [
      ['drop', 'dataTransfer'],
      ['paste', 'clipboardData'],
    ] as const) {
      await page.evaluate(
        ([type, field, base64]) => {
          const bytes = Uint8Array.from(atob(base64!), (sign) => sign.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], `${type}.png`, { type: 'image/png' }));
          const event =
            type === 'drop'
              ? new DragEvent('drop', { bubbles: true, cancelable: true, [field!]: transfer })
              : new ClipboardEvent('paste', { bubbles: true, [field!]: transfer });
          document.body.dispatchEvent(event);
        },
        [type, field, bright.toString('base64')],
      );
    }
    await said(page, '2 of 2 scored');
    await page.getByRole('button', { name: 'Camera' }).click();
    await page.waitForFunction(() => (document.querySelector('video')?.videoWidth ?? 0) > 0);
    await page.getByRole('button', { name: 'Take picture' }).click();
    await said(page, '3 of 3 scored');
    await page.getByRole('button', { name: 'Stop camera' }).click();
    expect(await page.locator('video').count()).toBe(0);
  });

  it('tells what could not be scored, and goes on', async () => {
    const page = await open();
    await choose(page, ['broken.png', Buffer.from('nothing')], ['bright.png', bright]);
    await said(page, '2 of 2 scored, 1 anomalous.');
    await page.getByRole('button', { name: /broken.png/ }).click();
    await page.getByText(/Not scored: .*not a picture/).waitFor();
  });

  it('comes again when the service is full', async () => {
    const page = await open({}, { maxQueue: 1, maxFiles: 1 }, { passMs: 150 });
    await choose(page, ['a.png', bright], ['b.png', bright], ['c.png', dark]);
    await said(page, '3 of 3 scored, 2 anomalous.');
    expect(service.log().some(({ code }) => code === 'E_QUEUE_FULL')).toBe(true);
  });

  it('asks for a token, and keeps it for this tab', async () => {
    const tokenFile = join(folder, 'tokens');
    await writeFile(tokenFile, 'the-token-of-the-bench\n');
    const page = await open({}, { tokenFile });
    const field = page.getByLabel('Access token');
    await choose(page, ['bright.png', bright]);
    await field.fill('not-the-token-of-the-bench');
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByText('This token is not known.').waitFor();
    expect(await violations(page)).toEqual([]);
    await field.fill('the-token-of-the-bench');
    await page.getByRole('button', { name: 'Use it' }).click();
    await said(page, '1 of 1 scored');
    await page.reload();
    await said(page, 'No picture yet');
    expect(await page.getByLabel('Access token').count()).toBe(0);
  });

  it('saves results as JSON and CSV, and pictures with their maps', async () => {
    const page = await open();
    await choose(page, ['=cmd,"a".png', bright], ['broken.png', Buffer.from('nothing')]);
    await said(page, '2 of 2');
    const saved = async (name: string) => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name }).click(),
      ]);
      return { name: download.suggestedFilename(), bytes: await readFile((await download.path())!) };
    };
    const json = JSON.parse((await saved('JSON')).bytes.toString()) as object[];
    expect(json).toMatchObject([
      { input: 'broken.png', error: expect.stringContaining('not a picture') },
      { input: '=cmd,"a".png', anomalous: true, threshold: 0.5, model: expect.stringMatching(/^toy@/) },
    ]);
    const csv = (await saved('CSV')).bytes.toString().split('\r\n');
    expect(csv[0]).toBe('input,score,threshold,verdict,regions,model,compared with,error');
    // A name that a spreadsheet would take for a formula is a text.
    expect(csv[2]).toMatch(/^"'=cmd,""a"".png",0\.8\d*,0\.5,anomalous,1,toy@[0-9a-f]+,plain,$/);
    const overlay = await saved('Overlays');
    expect(overlay.name).toMatch(/heat\.png$/);
    expect(overlay.bytes.subarray(1, 4).toString()).toBe('PNG');
  });

  it('keeps good pictures as a bank, compares with it, and each choice has its own threshold', async () => {
    const dataFolder = await mkdtemp(join(folder, 'kept-'));
    const page = await open({}, { dataFolder });
    const near = await png(190, 320, 240);
    await choose(page, ['bright.png', bright], ['near.png', near], ['dark.png', dark]);
    await said(page, '3 of 3 scored, 2 anomalous.');
    await page.getByRole('button', { name: 'These are good' }).click();
    const keep = page.getByRole('button', { name: /^Keep \d as good$/ });
    expect(await keep.isDisabled()).toBe(true);
    await page.getByRole('checkbox', { name: 'bright.png' }).check();
    expect(await keep.textContent()).toBe('Keep 1 as good');
    expect(await keep.isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'All' }).click();
    await page.getByRole('checkbox', { name: 'dark.png' }).uncheck();
    await page.getByLabel('Name').fill('spindles');
    expect(await violations(page)).toEqual([]);
    await shot(page, 'good-form');
    await keep.click();
    // All are scored again: 0, 0 and 139 of 255 away from the nearest good one, whose own distance of 14 is the threshold.
    await page.getByText(/compared with the good pictures spindles/).waitFor();
    await said(page, '3 of 3 scored, 1 anomalous.');
    await page.getByText('At 0.055, at most 33.3 % of good parts are called anomalous').waitFor();
    const compared = page.getByLabel('Compared with');
    expect(await compared.inputValue()).toBe('bank spindles');
    expect(await readdir(join(dataFolder, 'normals'))).toEqual(['spindles']);
    await page.getByRole('button', { name: /dark.png anomalous 0.545/ }).click();
    expect(await violations(page)).toEqual([]);
    await shot(page, 'bank');
    const slider = page.getByLabel('Threshold');
    expect(Number(await slider.inputValue())).toBeCloseTo(0.055, 3);
    await slider.fill('0.6');
    await said(page, '3 of 3 scored, 0 anomalous.');
    // What the prompts say has the threshold of the prompts.
    await compared.selectOption('prompts plain');
    expect(await slider.inputValue()).toBe('0.5');
    await choose(page, ['second.png', bright]);
    await said(page, '4 of 4 scored, 1 anomalous.');
    await page.getByText('3 were compared with something else, and keep their own threshold.').waitFor();
    await page.getByRole('button', { name: 'Score all again' }).click();
    await said(page, '4 of 4 scored, 3 anomalous.');
    await page.getByRole('button', { name: /dark.png normal/ }).waitFor();
    await page.reload();
    await said(page, 'No picture yet');
    await compared.selectOption({ label: '2 good pictures: spindles' });
    await choose(page, ['third.png', bright]);
    await page.getByText(/compared with the good pictures spindles/).waitFor();
  });

  it('deletes a bank by keyboard once it was asked again, and says so', async () => {
    const dataFolder = await mkdtemp(join(folder, 'kept-'));
    const page = await open({}, { dataFolder });
    await choose(page, ['bright.png', bright], ['dark.png', dark]);
    await keepBanks(page, 'spindles', 'others');
    await page.reload();
    await page.getByLabel('Compared with').selectOption('bank spindles');
    const summary = page.getByText('Banks of good pictures: 2 of at most 3');
    await summary.focus();
    await page.keyboard.press('Enter');
    const opener = page.getByRole('button', { name: 'Delete spindles' });
    await opener.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Delete the bank spindles?' });
    await dialog.getByText('Nobody can compare with its 2 good pictures any more.').waitFor();
    expect(await violations(page)).toEqual([]);
    await shot(page, 'delete-bank');
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    // What harms nobody comes first, and Escape is that too.
    expect(await focused()).toBe('Keep it');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
    expect(await readdir(join(dataFolder, 'normals'))).toEqual(['others', 'spindles']);
    await page.keyboard.press('Enter');
    await dialog.waitFor();
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Delete it');
    await page.keyboard.press('Enter');
    await said(page, 'spindles was deleted.');
    await page.getByText('Banks of good pictures: 1 of at most 3').waitFor();
    expect(await focused()).toMatch(/^Banks of good pictures/);
    expect(await readdir(join(dataFolder, 'normals'))).toEqual(['others']);
    expect(await page.getByLabel('Compared with').inputValue()).toBe('prompts plain');
    expect(await violations(page)).toEqual([]);
  });

  it('lets nobody delete whose token may not, and tells of a bank that cannot be deleted', async () => {
    const tokenFile = join(folder, 'two-tokens');
    await writeFile(tokenFile, 'a-token-that-writes write\na-token-that-asks\n');
    const dataFolder = await mkdtemp(join(folder, 'kept-'));
    const page = await open({}, { tokenFile, dataFolder });
    const enter = async (token: string) => {
      await page.evaluate(() => sessionStorage.clear());
      await page.reload();
      await page.getByLabel('Access token').fill(token);
      await page.getByRole('button', { name: 'Use it' }).click();
      await page.getByText(/Banks of good pictures/).click();
    };
    await enter('a-token-that-writes');
    await choose(page, ['bright.png', bright], ['dark.png', dark]);
    await keepBanks(page, 'spindles');
    const opener = page.getByRole('button', { name: 'Delete spindles' });
    await opener.waitFor();
    await enter('a-token-that-asks');
    await page.getByText('Who deletes banks needs a token with the right to write.').waitFor();
    expect(await opener.count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await choose(page, ['bright.png', bright]);
    await page.getByRole('button', { name: 'These are good' }).click();
    await page.getByText('Who keeps good pictures needs a token with the right to write.').waitFor();
    await enter('a-token-that-writes');
    // What is at the place of the bank's folder now cannot be moved away.
    await page.route('**/v1/normals/spindles', (route) =>
      route.fulfill({ status: 500, json: { error: { code: 'E_IO_WRITE', message: 'the disk is full' } } }),
    );
    await opener.click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByRole('alert').filter({ hasText: 'the disk is full' }).waitFor();
    await page.unroute('**/v1/normals/spindles');
    // Somebody else was faster: it is gone, which is what was wanted.
    await fetch(`${service.url}v1/normals/spindles`, {
      method: 'DELETE',
      headers: { authorization: 'Bearer a-token-that-writes' },
    });
    await page.getByRole('button', { name: 'Delete it' }).click();
    await said(page, 'spindles was deleted.');
  });

  it('scores by a method that has no prompts to choose, and by good pictures beside it', async () => {
    await makeToyModel(join(folder, 'other'), (json) => {
      json.method = defaultMethod('winclip') as never;
    });
    const options = { model: join(folder, 'other', 'model.json'), className: 'toy' };
    const dataFolder = await mkdtemp(join(folder, 'kept-'));
    const page = await open({}, { dataFolder, models: [{ name: 'toy', options, promptSets: {} }] });
    await choose(page, ['a.png', bright], ['b.png', dark]);
    await said(page, '2 of 2 scored, 1 anomalous.');
    await keepBanks(page, 'good');
    await page.getByLabel('Compared with').selectOption({ label: 'texts of the method' });
    await page.getByRole('button', { name: 'Score all again' }).click();
    await page.getByRole('button', { name: 'Score all again' }).waitFor({ state: 'hidden' });
    await said(page, '2 of 2 scored, 1 anomalous.');
  });

  it('says why good pictures cannot be kept', async () => {
    const page = await open();
    await choose(page, ['bright.png', bright]);
    await page.getByRole('button', { name: 'These are good' }).click();
    await page.getByText('starts it with --data-folder FOLDER').waitFor();
    await service.stop();
    const second = await open({}, { dataFolder: await mkdtemp(join(folder, 'kept-')) });
    await choose(second, ['broken.png', Buffer.from('nothing')], ['bright.png', bright]);
    await said(second, '2 of 2');
    await second.getByRole('button', { name: 'These are good' }).click();
    await second.getByRole('button', { name: 'All' }).click();
    await second.getByRole('button', { name: 'Keep 2 as good' }).click();
    await second.getByRole('alert').filter({ hasText: 'not a picture' }).waitFor();
  });

  it('is used by keyboard alone', async () => {
    const page = await open();
    await choose(page, ['bright.png', bright], ['dark.png', dark]);
    await said(page, '2 of 2');
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.textContent || document.activeElement?.getAttribute('type'),
      );
    const seen: (string | null | undefined)[] = [];
    for (let step = 0; step < 14; step++) {
      await page.keyboard.press('Tab');
      seen.push(await focused());
      if (seen.at(-1)?.startsWith('dark.png')) await page.keyboard.press('Enter');
    }
    expect(seen[0]).toBe('Choose pictures');
    for (const name of ['Camera', 'range', 'checkbox', 'JSON', 'CSV', 'Overlays', 'Clear'])
      expect(seen).toContain(name);
    expect(await page.getByRole('heading', { level: 2 }).textContent()).toBe('dark.png');
  });

  it.each([
    ['light', { width: 1280, height: 900 }],
    ['dark', { width: 1280, height: 900 }],
    ['light', { width: 360, height: 740 }],
    ['dark', { width: 360, height: 740 }],
  ] as const)(
    'has no fault of accessibility, %s, %j, and nothing runs out of the page',
    async (colorScheme, viewport) => {
      const page = await open(
        { colorScheme, viewport },
        { dataFolder: await mkdtemp(join(folder, 'kept-')) },
      );
      expect(await violations(page)).toEqual([]);
      await choose(
        page,
        ['a name that is rather long for a picture of a bench.png', bright],
        ['dark.png', dark],
      );
      await said(page, '2 of 2');
      expect(await violations(page)).toEqual([]);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
      await shot(page, `${colorScheme}-${viewport.width}`);
      await keepBanks(page, 'a-bank'.padEnd(64, '-and-more'));
      await page.getByText(/Banks of good pictures/).click();
      await page.getByRole('button', { name: /^Delete a-bank/ }).click();
      await page.getByRole('dialog').waitFor();
      expect(await violations(page)).toEqual([]);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
      await shot(page, `${colorScheme}-${viewport.width}-delete`);
    },
  );
});

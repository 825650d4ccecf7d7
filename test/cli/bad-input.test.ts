import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { asNobody } from '../as-nobody.js';
import { craneNative, inScratch, lines, root, samples } from './crane-native.js';

const good = join(samples, 'bsdata-good-g00.jpg');
const pictures = join(root, 'test', 'unit', 'images', 'pictures');

/** A PNG that promises a size and holds one row of it. */
function promisingPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const rows = deflateSync(Buffer.alloc(1 + width * 3));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('score with bad inputs among good ones', () => {
  it('gives each bad one its code, scores the rest and ends with 3', async () => {
    await inScratch(async (folder) => {
      const picture = await readFile(good);
      const cases: [string, string, (path: string) => Promise<unknown>][] = [
        [
          'truncated.jpg',
          'E_IMAGE_DECODE',
          (path) => writeFile(path, picture.subarray(0, picture.length / 2)),
        ],
        ['empty.jpg', 'E_IMAGE_EMPTY', (path) => writeFile(path, '')],
        ['text.jpg', 'E_IMAGE_DECODE', (path) => writeFile(path, 'this is no picture')],
        ['one.png', 'E_IMAGE_TOO_SMALL', (path) => writeFile(path, promisingPng(1, 1))],
        ['huge.png', 'E_IMAGE_TOO_LARGE', (path) => writeFile(path, promisingPng(20_000, 20_000))],
        ['cmyk.jpg', 'E_IMAGE_COLOUR', (path) => copyFile(join(pictures, 'refused_cmyk.jpg'), path)],
        ['frames.gif', 'E_IMAGE_ANIMATED', (path) => copyFile(join(pictures, 'refused_frames.gif'), path)],
        ['missing.png', 'E_INPUT_NOT_FOUND', async () => undefined],
      ];
      for (const [name, , make] of cases) await make(join(folder, name));
      await copyFile(good, join(folder, 'first.jpg'));
      await copyFile(good, join(folder, 'last.jpg'));
      const list = join(folder, 'list.txt');
      const names = ['first.jpg', ...cases.map(([name]) => name), 'sub', 'last.jpg'];
      await mkdir(join(folder, 'sub'));
      await writeFile(list, names.map((name) => join(folder, name)).join('\n'));

      const run = await craneNative(['score', `@${list}`]);
      const results = lines(run);
      const codes = results.map((line) => (line['error'] as { code: string } | undefined)?.code ?? 'scored');
      expect(codes).toEqual(['scored', ...cases.map(([, code]) => code), 'E_INPUT_IS_DIRECTORY', 'scored']);
      expect(results[0]?.['score']).toBe(results.at(-1)?.['score']);
      for (const line of results.slice(1, -1)) {
        const { message } = line['error'] as { message: string };
        expect(message.length).toBeGreaterThan(10);
      }
      expect(run.code).toBe(3);
    });
  });

  it('names a file that may not be read', async () => {
    await inScratch(async (folder) => {
      await chmod(folder, 0o755);
      const secret = join(folder, 'secret.jpg');
      await copyFile(good, secret);
      await chmod(secret, 0o000);
      const { loadEngine } = await import('../../dist/index.js');
      const engine = await loadEngine({ threads: 1 });
      const code = () =>
        engine.score(secret).then(
          () => 'scored',
          (error) => error.code,
        );
      expect(await asNobody(code)).toBe('E_INPUT_PERMISSION');
      await engine.dispose();
    });
  }, 60_000);

  it('ends with 4 for a prompt file that would run code, and runs nothing', async () => {
    await inScratch(async (folder) => {
      const canary = join(folder, 'canary');
      // os.system("touch canary"), as a pickle would call it
      const pickle = Buffer.from(`cos\nsystem\n(S'touch "${canary}"'\ntR.`, 'latin1');
      const prompts = join(folder, 'prompts.pth');
      await writeFile(prompts, pickle);
      const run = await craneNative(['score', good, '--prompts', prompts]);
      expect(run.code).toBe(4);
      expect(run.stderr).toMatch(/E_WEIGHTS_/);
      await expect(readFile(canary)).rejects.toThrow('ENOENT');
    });
  });

  it('takes an embedded model by its name, whatever lies in the working directory', async () => {
    await inScratch(async (folder) => {
      await mkdir(join(folder, 'crane-mini'));
      const run = await craneNative(['weights', 'inspect', 'crane-mini', '--json'], { cwd: folder });
      expect(run).toMatchObject({ code: 0 });
      expect(await craneNative(['weights', 'inspect', './crane-mini'], { cwd: folder })).toMatchObject({
        code: 4,
      });
    });
  });
});

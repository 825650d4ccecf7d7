/** Lists of paths, in chunks of any size. */
import { describe, expect, it, vi } from 'vitest';
import { listedPaths } from '../../../src/sources/text-list.js';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function pathsOf(chunks: AsyncIterable<Uint8Array>): Promise<string[]> {
  const paths: string[] = [];
  for await (const path of listedPaths(chunks, 'list')) paths.push(path.toString());
  return paths;
}

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('a list', () => {
  it.each<[string, Uint8Array, string[]]>([
    ['of lines', Buffer.from('a.png\n\n b ü.png\r\nlast'), ['a.png', ' b ü.png', 'last']],
    ['with a mark', Buffer.from('\ufeffa\nb\n'), ['a', 'b']],
    ['parted by zeros', Buffer.from('e\0a\nb\0c\r\0\0d'), ['e', 'a\nb', 'c\r', 'd']],
    ['of one line', Buffer.from('x'.repeat(500)), ['x'.repeat(500)]],
    ['of UTF-16', utf16('a\nü\n'), ['a', 'ü']],
    ['of nothing', Buffer.from('\n\r\n'), []],
  ])('%s is the same in all chunks', async (_, bytes, paths) => {
    for (const size of [1, 2, 3, 7, 64, 1000])
      expect(await pathsOf(inChunks(bytes, size)), `${size}`).toEqual(paths);
  });

  it('of a path that is no UTF-8 holds its bytes', async () => {
    const paths: unknown[] = [];
    for await (const path of listedPaths(inChunks(Buffer.from([0x61, 0xff, 10, 0x62]), 1), 'list'))
      paths.push(path);
    expect(paths).toEqual([Buffer.from([0x61, 0xff]), 'b']);
  });

  it.each([1, 3, 100])('with zeros in its lines is refused: %i', async (size) => {
    await expect(pathsOf(inChunks(Buffer.from('a\nb\0c\nd'), size))).rejects.toMatchObject({
      code: 'E_TEXT_ENCODING',
    });
  });

  it('without an end of a line is joined once', async () => {
    const bytes = Buffer.alloc(200_000, 'x');
    const joined = vi.spyOn(Buffer, 'concat');
    try {
      expect(await pathsOf(inChunks(bytes, 100))).toEqual([bytes.toString()]);
      const all = joined.mock.results.map(({ value }) => (value as Buffer).length);
      expect(all.reduce((sum, length) => sum + length, 0)).toBeLessThan(2 * bytes.length);
    } finally {
      joined.mockRestore();
    }
  });

  it('whose line has no end is refused before it fills the memory', async () => {
    let given = 0;
    const endless = async function* () {
      const chunk = Buffer.alloc(2 ** 20, 'x');
      for (; given < 80; given++) yield chunk;
    };
    await expect(pathsOf(endless())).rejects.toMatchObject({
      code: 'E_TEXT_ENCODING',
      message: 'list: a line is longer than 64 MiB',
    });
    expect(given).toBe(64);
  });
});

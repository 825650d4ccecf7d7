import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { downloadProgress } from '../../../src/net/download-progress.js';
import { fetchMembers, mergeNeighbours } from '../../../src/net/fetch-members.js';
import { readDirectory, type ZipMember } from '../../../src/net/zip-directory.js';
import { extractMember } from '../../../src/net/zip-member.js';
import { FileSource } from '../../../src/net/zip-source.js';
import { freshFolder, noise } from '../libtorch/fake-torch.js';
import { type FakeEntry, fakeZip, fakeZip64 } from './fake-zip.js';

const directoryOf = (bytes: Buffer) =>
  readDirectory(async (start, end) => bytes.subarray(start, end), bytes.length);

/** Unpacks the first member of the archive. */
async function unpackFirst(bytes: Buffer, sha256?: string): Promise<Buffer> {
  const folder = freshFolder();
  const path = join(folder, 'archive.zip');
  writeFileSync(path, bytes);
  const [member] = await directoryOf(bytes);
  const destination = join(folder, 'out', 'member');
  try {
    await extractMember({ path, offset: member!.offset }, member!, destination, sha256);
  } catch (thrown) {
    expect(existsSync(destination)).toBe(false);
    expect(existsSync(`${destination}.part`)).toBe(false);
    throw thrown;
  }
  return readFileSync(destination);
}

describe('reading a zip', () => {
  it.each<[string, FakeEntry]>([
    ['deflated', { name: 'a.txt', data: 'x'.repeat(10_000) }],
    ['stored', { name: 'a.txt', data: noise(10_000), stored: true }],
    ['empty', { name: 'a.txt', data: '' }],
    ['large and streamed', { name: 'a.bin', data: noise(5 << 20) }],
    ['large and stored', { name: 'a.bin', data: noise(5 << 20), stored: true }],
  ])('unpacks a member that is %s', async (_what, entry) => {
    expect((await unpackFirst(fakeZip([entry]))).equals(Buffer.from(entry.data as string))).toBe(true);
  });

  it('reads zip64 numbers and an archive with a comment', async () => {
    expect((await unpackFirst(fakeZip64({ name: 'a.txt', data: 'zip64' }))).toString()).toBe('zip64');
    expect(
      await directoryOf(fakeZip([{ name: 'a', data: '1' }], 'a comment with PK\u0005\u0006 in it')),
    ).toHaveLength(1);
  });

  it.each(['../a', 'a/../../b', '/etc/passwd', 'C:/a', 'a\\..\\b', 'a//b', 'a\0b'])(
    'refuses an archive with the name %j',
    async (name) => {
      await expect(directoryOf(fakeZip([{ name, data: 'x' }]))).rejects.toThrow(/unsafe name/);
    },
  );

  it('refuses symbolic links', async () => {
    await expect(directoryOf(fakeZip([{ name: 'a', data: '/etc', mode: 0o120777 }]))).rejects.toThrow(
      /symbolic link/,
    );
  });

  it.each([
    ['larger', { name: 'a', data: noise(5 << 20), statedSize: 100 }],
    ['much larger, as a bomb is', { name: 'a', data: Buffer.alloc(50 << 20), statedSize: 5 << 20 }],
    ['smaller', { name: 'a', data: 'abc', statedSize: 4 }],
  ])('refuses a member that is %s than the directory says', async (_what, entry) => {
    await expect(unpackFirst(fakeZip([entry]))).rejects.toThrow(/larger than|damaged|cannot be unpacked/);
  });

  it.each([
    ['small', noise(1000)],
    ['streamed', noise(5 << 20)],
  ])('refuses a %s member with another sha256 than expected', async (_what, data) => {
    const archive = fakeZip([{ name: 'a', data }]);
    const sum = createHash('sha256').update(data).digest('hex');
    expect((await unpackFirst(archive, sum)).equals(data)).toBe(true);
    await expect(
      unpackFirst(
        archive,
        sum.replace(/^./, (c) => (c === '0' ? '1' : '0')),
      ),
    ).rejects.toThrow(/sha256/);
  });

  it('survives every truncation of a small archive', async () => {
    const whole = fakeZip([
      { name: 'a.txt', data: 'some text that is packed' },
      { name: 'b/c.txt', data: 'more' },
    ]);
    for (let size = 0; size < whole.length; size++)
      await expect(directoryOf(whole.subarray(0, size)), `${size} bytes`).rejects.toThrow(Error);
  });

  it('never returns other bytes than were packed, whichever bit is flipped', async () => {
    const data = 'some text that is packed, some text that is packed';
    const whole = fakeZip([{ name: 'a.txt', data }]);
    let unpacked = 0;
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = flipped[at]! ^ (1 << (at % 8));
      try {
        expect((await unpackFirst(flipped)).toString()).toBe(data);
        unpacked++;
      } catch (thrown) {
        if ((thrown as Error).name === 'AssertionError') throw thrown;
      }
    }
    // many bits (dates, names, flags) do not matter for the content
    expect(unpacked).toBeGreaterThan(10);
  });
});

describe('members that are there already', () => {
  it.each([
    ['as they are in the archive, are kept', 'right', 0],
    ['of the same size, with other bytes, are replaced', 'wrong', 1],
  ])('%s', async (_what, there, replaced) => {
    const folder = freshFolder();
    const path = join(folder, 'archive.zip');
    const bytes = fakeZip([{ name: 'a', data: 'right' }]);
    writeFileSync(path, bytes);
    writeFileSync(join(folder, 'a'), there);
    const [member] = await directoryOf(bytes);
    const chosen = [{ member: member!, destination: 'a', sha256: undefined }];
    const moved = await fetchMembers(
      await FileSource.open(path),
      chosen,
      folder,
      downloadProgress(() => {}),
    );
    expect(Math.sign(moved)).toBe(replaced);
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('right');
  });
});

describe('which bytes are asked for', () => {
  const chosen = (offset: number, end: number) => ({
    member: { offset, end } as ZipMember,
    destination: `${offset}`,
    sha256: undefined,
  });

  it('joins neighbours and small gaps, and steps over large ones', () => {
    const groups = mergeNeighbours([
      chosen(5_000_000, 5_000_100),
      chosen(0, 100),
      chosen(150, 300),
      chosen(5_000_100, 6_000_000),
    ]);
    expect(groups.map(({ start, end, items }) => [start, end, items.length])).toEqual([
      [0, 300, 2],
      [5_000_000, 6_000_000, 2],
    ]);
  });
});

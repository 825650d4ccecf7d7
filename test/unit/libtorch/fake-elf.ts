/** A minimal 64-bit little-endian ELF file with just the tables that elf.ts reads. */

export interface FakeElf {
  buildId?: string;
  soname?: string;
  needed?: string[];
  runpath?: string;
  /** symbol versions asked of libc.so.6, such as GLIBC_2.28 */
  versions?: string[];
}

export function fakeElf(facts: FakeElf = {}): Buffer {
  const strings = new StringTable();
  const tags: [number, number][] = [];
  for (const name of facts.needed ?? []) tags.push([1, strings.add(name)]);
  if (facts.soname) tags.push([14, strings.add(facts.soname)]);
  if (facts.runpath) tags.push([29, strings.add(facts.runpath)]);
  const versionNames = (facts.versions ?? []).map((name) => strings.add(name));

  const headerSize = 64 + 3 * 56;
  const note = noteOf(facts.buildId ?? '');
  const noteAt = headerSize;
  const stringsAt = noteAt + note.length;
  const versionsAt = stringsAt + strings.bytes.length;
  const versions = Buffer.alloc(versionNames.length > 0 ? 16 + 16 * versionNames.length : 0);
  if (versionNames.length > 0) {
    versions.writeUInt16LE(versionNames.length, 2);
    versions.writeUInt32LE(16, 8);
    versionNames.forEach((name, i) => {
      versions.writeUInt32LE(name, 16 + 16 * i + 8);
      versions.writeUInt32LE(i + 1 < versionNames.length ? 16 : 0, 16 + 16 * i + 12);
    });
    tags.push([0x6ffffffe, versionsAt], [0x6fffffff, 1]);
  }
  tags.push([5, stringsAt], [10, strings.bytes.length], [0, 0]);
  const dynamic = Buffer.alloc(tags.length * 16);
  tags.forEach(([tag, value], i) => {
    dynamic.writeBigInt64LE(BigInt(tag), 16 * i);
    dynamic.writeBigUInt64LE(BigInt(value), 16 * i + 8);
  });
  const dynamicAt = versionsAt + versions.length;
  const total = dynamicAt + dynamic.length;

  const header = Buffer.alloc(headerSize);
  header.writeUInt32BE(0x7f454c46, 0);
  header[4] = 2;
  header[5] = 1;
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(3, 56);
  const segments: [number, number, number][] = [
    [1, 0, total],
    [4, noteAt, note.length],
    [2, dynamicAt, dynamic.length],
  ];
  segments.forEach(([type, offset, size], i) => {
    const at = 64 + 56 * i;
    header.writeUInt32LE(type, at);
    header.writeBigUInt64LE(BigInt(offset), at + 8);
    header.writeBigUInt64LE(BigInt(offset), at + 16);
    header.writeBigUInt64LE(BigInt(size), at + 32);
  });
  return Buffer.concat([header, note, strings.bytes, versions, dynamic]);
}

class StringTable {
  bytes = Buffer.from([0]);

  add(text: string): number {
    const at = this.bytes.length;
    this.bytes = Buffer.concat([this.bytes, Buffer.from(`${text}\0`)]);
    return at;
  }
}

/** An unrelated note first, so that the reader has to step over it. */
function noteOf(buildId: string): Buffer {
  return Buffer.concat([oneNote(1, Buffer.from([1, 2, 3, 4, 5])), oneNote(3, Buffer.from(buildId, 'hex'))]);
}

function oneNote(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(4, 0);
  head.writeUInt32LE(data.length, 4);
  head.writeUInt32LE(type, 8);
  const padding = Buffer.alloc((4 - (data.length % 4)) % 4);
  return Buffer.concat([head, Buffer.from('GNU\0'), data, padding]);
}

/**
 * The few facts of an ELF file that decide whether a library fits: build id, needed libraries, where it looks
 * for them, and the newest glibc it asks for. Reads headers and tables only, never the code (a libtorch_cpu
 * has 450 MB). Source: System V ABI, "Program Header" and "Dynamic Section"; LSB, "Symbol Versioning".
 */
import { closeSync, openSync, readSync } from 'node:fs';

export interface ElfFacts {
  /** lower-case hex of NT_GNU_BUILD_ID */
  buildId: string | undefined;
  soname: string | undefined;
  /** DT_NEEDED in the file's order */
  needed: string[];
  /** DT_RPATH or DT_RUNPATH, split at ':', $ORIGIN not yet replaced */
  searchPaths: string[];
  /** highest GLIBC_x.y among the wanted symbol versions */
  glibc: string | undefined;
}

interface Segment {
  type: number;
  offset: number;
  address: number;
  size: number;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_STRSZ = 10;
const DT_SONAME = 14;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const DT_VERNEED = 0x6ffffffe;
const DT_VERNEEDNUM = 0x6fffffff;
/** no table that is read here comes near this; a damaged header must not make us allocate gigabytes */
const LARGEST_TABLE = 64 << 20;

/** undefined: not a 64-bit little-endian ELF file, or a damaged one. Throws only when the file cannot be read. */
export function readElf(path: string): ElfFacts | undefined {
  const file = openSync(path, 'r');
  try {
    return parse((offset, size) => {
      if (size < 0 || size > LARGEST_TABLE) throw new RangeError('table too large');
      const bytes = Buffer.alloc(size);
      if (readSync(file, bytes, 0, size, offset) < size) throw new RangeError('file ends too early');
      return bytes;
    });
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  } finally {
    closeSync(file);
  }
}

type ReadAt = (offset: number, size: number) => Buffer;

function parse(read: ReadAt): ElfFacts | undefined {
  const header = read(0, 64);
  const isElf64Little = header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
  if (!isElf64Little) return undefined;
  const segments = readSegments(read, header);
  return { buildId: readBuildId(read, segments), ...readDynamic(read, segments) };
}

function readSegments(read: ReadAt, header: Buffer): Segment[] {
  const start = Number(header.readBigUInt64LE(32));
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const table = read(start, entrySize * count);
  return Array.from({ length: count }, (_, i) => {
    const at = i * entrySize;
    return {
      type: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
    };
  });
}

/** A note is { name size, data size, type, name, data }, name and data padded to 4 bytes. */
function readBuildId(read: ReadAt, segments: Segment[]): string | undefined {
  for (const segment of segments.filter((s) => s.type === PT_NOTE)) {
    const notes = read(segment.offset, segment.size);
    for (let at = 0; at + 12 <= notes.length; ) {
      const nameSize = notes.readUInt32LE(at);
      const dataSize = notes.readUInt32LE(at + 4);
      const nameAt = at + 12;
      const dataAt = nameAt + ((nameSize + 3) & ~3);
      if (dataAt < nameAt || dataAt + dataSize > notes.length) break;
      const isGnu = notes.toString('latin1', nameAt, nameAt + nameSize) === 'GNU\0';
      if (isGnu && notes.readUInt32LE(at + 8) === NT_GNU_BUILD_ID && dataSize > 0)
        return notes.toString('hex', dataAt, dataAt + dataSize);
      at = dataAt + ((dataSize + 3) & ~3);
    }
  }
  return undefined;
}

function readDynamic(read: ReadAt, segments: Segment[]): Omit<ElfFacts, 'buildId'> {
  const facts: Omit<ElfFacts, 'buildId'> = {
    soname: undefined,
    needed: [],
    searchPaths: [],
    glibc: undefined,
  };
  const dynamic = segments.find((s) => s.type === PT_DYNAMIC);
  if (!dynamic) return facts;
  const table = read(dynamic.offset, dynamic.size);
  const entries: { tag: number; value: number }[] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = Number(table.readBigInt64LE(at));
    if (tag === 0) break;
    entries.push({ tag, value: Number(table.readBigUInt64LE(at + 8)) });
  }
  const valueUnder = (tag: number) => entries.find((e) => e.tag === tag)?.value;
  const strings = read(fileOffset(segments, valueUnder(DT_STRTAB) ?? 0), valueUnder(DT_STRSZ) ?? 0);
  const stringAt = (at: number) => {
    const end = strings.indexOf(0, at);
    return strings.toString('utf8', at, end < 0 ? strings.length : end);
  };

  const soname = valueUnder(DT_SONAME);
  if (soname !== undefined) facts.soname = stringAt(soname);
  facts.needed = entries.filter((e) => e.tag === DT_NEEDED).map((e) => stringAt(e.value));
  const searchPath = valueUnder(DT_RUNPATH) ?? valueUnder(DT_RPATH);
  if (searchPath !== undefined) facts.searchPaths = stringAt(searchPath).split(':').filter(Boolean);
  const versionTable = valueUnder(DT_VERNEED);
  if (versionTable !== undefined) {
    const start = fileOffset(segments, versionTable);
    facts.glibc = newestGlibc(wantedVersions(read, start, valueUnder(DT_VERNEEDNUM) ?? 0, stringAt));
  }
  return facts;
}

function fileOffset(segments: Segment[], address: number): number {
  const segment = segments.find(
    (s) => s.type === PT_LOAD && address >= s.address && address < s.address + s.size,
  );
  if (!segment) throw new RangeError('address in no segment');
  return address - segment.address + segment.offset;
}

/** Names like GLIBC_2.28 that the library asks of others; both lists are linked by relative offsets. */
function wantedVersions(
  read: ReadAt,
  start: number,
  count: number,
  stringAt: (at: number) => string,
): string[] {
  const names: string[] = [];
  for (let at = start, left = count; left > 0; left--) {
    const need = read(at, 16);
    let auxiliaryAt = at + need.readUInt32LE(8);
    for (let entries = need.readUInt16LE(2); entries > 0; entries--) {
      const auxiliary = read(auxiliaryAt, 16);
      names.push(stringAt(auxiliary.readUInt32LE(8)));
      const next = auxiliary.readUInt32LE(12);
      if (next === 0) break;
      auxiliaryAt += next;
    }
    const next = need.readUInt32LE(12);
    if (next === 0) break;
    at += next;
  }
  return names;
}

function newestGlibc(names: string[]): string | undefined {
  const versions = names.flatMap((name) => /^GLIBC_(\d+(?:\.\d+)+)$/.exec(name)?.[1] ?? []);
  return versions.sort(compareVersions).at(-1);
}

/** Numeric comparison of dotted versions: 2.9 < 2.28. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((v) => v.split('.').map(Number));
  for (let i = 0; i < Math.max(x!.length, y!.length); i++) {
    const difference = (x![i] ?? 0) - (y![i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

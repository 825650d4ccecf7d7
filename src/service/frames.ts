/**
 * Frames between the service and the process of its engines: a head in JSON and bytes behind it, which are never copied
 * into text. [head length u32][bytes length u32][head][bytes], little-endian.
 */
import type { Duplex } from 'node:stream';
import { CraneError } from '../errors.js';

export interface Frame {
  head: unknown;
  bytes: Uint8Array;
}

const k_prefix = 8;
/** A head holds names, options and regions; a longer one is no frame of ours. */
const k_maxHead = 64 * 2 ** 20;
const k_empty = new Uint8Array(0);

/** The parts are the frame's bytes, one after the other, and are not copied. Nothing waits here: whoever sends bounds what is on its way. */
export function sendFrame(channel: Duplex, head: unknown, parts: readonly Uint8Array[] = []): void {
  if (channel.destroyed || channel.writableEnded) return;
  const json = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.allocUnsafe(k_prefix);
  prefix.writeUInt32LE(json.length, 0);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  prefix.writeUInt32LE(length, 4);
  channel.cork();
  channel.write(Buffer.concat([prefix, json]));
  for (const part of parts) if (part.length > 0) channel.write(part);
  channel.uncork();
}

/** Calls back for every whole frame. A stream that is none of frames is destroyed with an error. */
export function onFrames(channel: Duplex, receive: (frame: Frame) => void): void {
  let wanted = Buffer.allocUnsafe(k_prefix);
  let filled = 0;
  let part: 'prefix' | 'head' | 'bytes' = 'prefix';
  let bytesLength = 0;
  let head: unknown;
  const begin = (next: typeof part, length: number) => {
    part = next;
    wanted = Buffer.allocUnsafe(length);
    filled = 0;
  };
  const finishFrame = (bytes: Uint8Array) => {
    const frame = { head, bytes };
    begin('prefix', k_prefix);
    receive(frame);
  };
  const step = () => {
    if (part === 'prefix') {
      const headLength = wanted.readUInt32LE(0);
      bytesLength = wanted.readUInt32LE(4);
      if (headLength === 0 || headLength > k_maxHead)
        throw new CraneError('E_INTERNAL', `a frame with a head of ${headLength} bytes`);
      begin('head', headLength);
    } else if (part === 'head') {
      head = JSON.parse(wanted.toString());
      if (bytesLength === 0) finishFrame(k_empty);
      else begin('bytes', bytesLength);
    } else finishFrame(wanted);
  };
  channel.on('data', (chunk: Buffer) => {
    try {
      for (let at = 0; at < chunk.length; ) {
        const taken = chunk.copy(wanted, filled, at);
        at += taken;
        filled += taken;
        if (filled === wanted.length) step();
      }
    } catch (thrown) {
      channel.destroy(thrown as Error);
    }
  });
}

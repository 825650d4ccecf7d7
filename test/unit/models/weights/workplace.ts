/** A cache folder, a table of addresses with one file, and everything `pull` needs around it. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NativeAddon, WeightFileInfo } from '../../../../src/addon/native.js';
import type { PublicFile } from '../../../../src/models/weights/addresses.js';
import type { WeightTransfer } from '../../../../src/models/weights/fetch-file.js';
import type { StoreSurroundings } from '../../../../src/models/weights/store.js';
import { HttpClient } from '../../../../src/net/http-client.js';

// A proxy of the machine must not stand between the tests and their server.
process.env['NO_PROXY'] = '127.0.0.1';

export interface Workplace {
  /** the cache folder */
  cache: string;
  /** any path below it */
  at(...parts: string[]): string;
  log: string[];
  transfer: WeightTransfer;
  surroundings: StoreSurroundings;
  close(): Promise<void>;
}

export async function openWorkplace(addon: Partial<NativeAddon> = {}): Promise<Workplace> {
  const cache = await mkdtemp(join(tmpdir(), 'crane wëights '));
  const log: string[] = [];
  const client = new HttpClient();
  const transfer: WeightTransfer = {
    client,
    retries: { attempts: 4, pauseMs: 1 },
    log: (line) => log.push(line),
    progress: { start() {}, add() {}, stop() {} },
    stop: new AbortController().signal,
  };
  return {
    cache,
    at: (...parts) => join(cache, ...parts),
    log,
    transfer,
    surroundings: {
      env: { CRANE_CACHE: cache },
      transfer,
      loadAddon: async () => addon as NativeAddon,
    },
    close: async () => {
      await client.close();
      await rm(cache, { recursive: true, force: true });
    },
  };
}

export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Bytes that differ everywhere, so that a part in the wrong place shows. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export function publicFile(url: string, facts: Partial<PublicFile> = {}): PublicFile {
  return {
    name: 'thing',
    file: 'thing.bin',
    url,
    megabytes: 1,
    what: 'a thing',
    licence: 'MIT',
    seenIn: 'nowhere',
    ...facts,
  };
}

/** What the addon would find in a DINOv2 file of these sizes. */
export function dinov2Info(width: number, layers: number): WeightFileInfo {
  const tensor = (name: string, shape: number[]) => ({ name, dtype: 'f32', shape, bytes: 4 });
  return {
    container: 'torch-zip',
    naming: 'dinov2',
    prefix: '',
    beside: 0,
    files: [],
    metadata: {},
    tensors: [
      tensor('patch_embed.proj.weight', [width, 3, 14, 14]),
      tensor('pos_embed', [1, 1370, width]),
      tensor('register_tokens', [1, 4, width]),
      ...Array.from({ length: layers }, (_, n) => tensor(`blocks.${n}.mlp.fc1.weight`, [4 * width, width])),
    ],
  };
}

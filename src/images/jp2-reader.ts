/// <reference path="./codec-openjpeg.d.ts" />
/**
 * Reads JPEG 2000 through OpenJPEG compiled to WebAssembly: an optional package, loaded for the first such picture. It computes
 * on the thread that calls it (read-work.ts), in an instance for each picture: memory of WebAssembly never shrinks, and a damaged file leaves nothing behind.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CraneError } from '../errors.js';
import type { OpenFile } from '../files/open-file.js';
import { loadOptional } from '../files/optional-packages.js';
import type { Size } from '../options/types.js';
import { allocate } from './allocate.js';
import { type Jp2Header, readJp2Header } from './jp2-header.js';
import { checkSize, type ReadLimits } from './read-limits.js';
import { eightBits, type Samples } from './samples.js';

/** The name of the package that it needs. */
export const jp2Package = '@cornerstonejs/codec-openjpeg';

/** @throws CraneError E_DEPENDENCY without the package, E_IMAGE_*, E_MEMORY; partly without the file's name */
export async function readJp2(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  const header = await readJp2Header(file.read);
  const { width, height, components, bits } = header;
  checkSize(name, width, height, limits);
  const samples = width * height * components;
  const bytes = bits > 8 ? 2 : 1;
  // The decoder's 32 bits a sample, its result, ours, and the file twice.
  await limits.reserve?.(samples * (4 + 2 * bytes) + 2 * file.bytes);
  const data = await decode(name, await file.read(0, file.bytes), header);
  const mode = components === 3 ? 'RGB' : 'L';
  if (bits === 8) return { data, width, height, mode, stated: eightBits };
  return {
    data: new Uint16Array(data.buffer),
    width,
    height,
    mode,
    stated: { kind: 'bits', bits, from: bits === 16 ? 'container' : 'tag' },
  };
}

/** @throws CraneError E_IMAGE_*, without the file's name */
export async function measureJp2(file: OpenFile): Promise<Size> {
  const { width, height } = await readJp2Header(file.read);
  return { width, height };
}

async function decode(name: string, bytes: Uint8Array, header: Jp2Header): Promise<Uint8Array<ArrayBuffer>> {
  const { load, code } = await loadOptional(`reading JPEG 2000 (${name})`, [jp2Package], loadDecoder);
  const said: string[] = [];
  const hear = (text: string) => void (/^\[(ERROR|WARNING)\]/.test(text) && said.push(text));
  let decoder: InstanceType<Awaited<ReturnType<typeof load>>['J2KDecoder']> | undefined;
  try {
    const openjpeg = await load({
      print: hear,
      printErr: hear,
      instantiateWasm: (imports, made) => {
        made(new wasm.Instance(code, imports));
        return {};
      },
    });
    decoder = new openjpeg.J2KDecoder();
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
    const decoded = decoder.getDecodedBuffer();
    const { width: w, height: h, components, bits } = header;
    const expected = w * h * components * (bits > 8 ? 2 : 1);
    const isAsAnnounced =
      width === w && height === h && bitsPerSample === bits && componentCount === components;
    if (!isAsAnnounced || decoded.length !== expected) throw new Error('another size than announced');
    // A part that is missing is told by a warning, and filled with grey.
    if (said.length > 0) throw new Error('parts are missing');
    const own = allocate(name, expected);
    own.set(decoded);
    return own;
  } catch (cause) {
    if (cause instanceof CraneError) throw cause;
    const told = said[0]?.replace(/^\[\w+\]\s*/, '').trim();
    throw new CraneError(
      'E_IMAGE_DECODE',
      `${name}: damaged or not readable: ${told || (cause instanceof Error ? cause.message : 'its pixels are damaged')}`,
      { cause },
    );
  }
}

/** Of the types that Node has no names for without those of a browser. */
const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: {
    compile(bytes: Uint8Array): Promise<object>;
    Instance: new (code: object, imports: object) => object;
  };
};

type Loaded = {
  load: typeof import('@cornerstonejs/codec-openjpeg/decodewasmjs')['default'];
  code: object;
};
let loaded: Promise<Loaded> | undefined;

/** Its code is compiled once and instantiated for each picture. */
function loadDecoder(): Promise<Loaded> {
  loaded ??= (async () => {
    const { default: load } = await import('@cornerstonejs/codec-openjpeg/decodewasmjs');
    const file = fileURLToPath(import.meta.resolve(`${jp2Package}/decodewasm`));
    return { load, code: await wasm.compile(await readFile(file)) };
  })();
  // A lack may be mended while the process runs.
  loaded.catch(() => {
    loaded = undefined;
  });
  return loaded;
}

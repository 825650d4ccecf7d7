/// <reference path="./libheif-js.d.ts" />
/**
 * libheif compiled to WebAssembly: an optional package, loaded for the first HEIC picture. It computes on the thread that calls
 * it (read-work.ts). The file's turning is part of its pixels and always applied.
 */
import { endianness } from 'node:os';
import { CraneError } from '../errors.js';
import { loadOptional } from '../files/optional-packages.js';
import { allocate } from './allocate.js';

type Heif = typeof import('libheif-js/wasm-bundle.js')['default'];

export interface HeicFacts {
  width: number;
  height: number;
  hasAlpha: boolean;
  /** of a sample: 8, or 10 and 12 of newer phones and cameras */
  bits: number;
}

/** A file whose pixels are not decoded yet. */
export interface OpenHeic {
  readonly facts: HeicFacts;
  /** Interleaved rows without padding; samples from 0 to 2^bits - 1, of 16 bits where there are more than 8. */
  decode(): Promise<Uint8Array | Uint16Array>;
  /** Frees what is held; called once, after the rest. */
  close(): void;
}

/** @throws CraneError E_DEPENDENCY without the package, E_IMAGE_DECODE, E_IMAGE_ANIMATED */
export async function openHeic(name: string, bytes: Uint8Array): Promise<OpenHeic> {
  const { default: heif } = await loadOptional(
    `reading HEIC (${name})`,
    ['libheif-js'],
    () => import('libheif-js/wasm-bundle.js'),
  );
  const context = heif.heif_context_alloc();
  try {
    const read = heif.heif_context_read_from_memory(context, bytes);
    if (read.code !== heif.heif_error_Ok) throw damaged(name, read.message);
    const ids = heif.heif_js_context_get_list_of_top_level_image_IDs(context);
    if (!Array.isArray(ids) || ids.length === 0) throw damaged(name, 'it holds no picture');
    if (ids.length > 1) {
      throw new CraneError('E_IMAGE_ANIMATED', `${name}: holds ${ids.length} pictures, expected one`, {
        hint: 'save the wanted one as its own file',
      });
    }
    const handle = heif.heif_js_context_get_image_handle(context, ids[0]!);
    const facts = factsOf(name, heif, handle);
    return {
      facts,
      decode: () => decode(name, heif, handle, facts),
      close: () => {
        heif.heif_image_handle_release(handle);
        heif.heif_context_free(context);
      },
    };
  } catch (thrown) {
    heif.heif_context_free(context);
    throw thrown;
  }
}

function factsOf(
  name: string,
  heif: Heif,
  handle: ReturnType<Heif['heif_js_context_get_image_handle']>,
): HeicFacts {
  const pointer = handle.$$?.ptr;
  const bits = pointer === undefined ? undefined : heif._heif_image_handle_get_luma_bits_per_pixel?.(pointer);
  // A depth that is not known must not be taken for 8 bits.
  if (bits === undefined || bits < 1 || bits > 16)
    throw damaged(name, 'the decoder does not tell how many bits its samples have');
  return {
    width: heif.heif_image_handle_get_width(handle),
    height: heif.heif_image_handle_get_height(handle),
    hasAlpha: heif.heif_image_handle_has_alpha_channel(handle) !== 0,
    bits,
  };
}

async function decode(
  name: string,
  heif: Heif,
  handle: unknown,
  { width, height, hasAlpha, bits }: HeicFacts,
): Promise<Uint8Array | Uint16Array> {
  const form = formOf(heif, bits > 8, hasAlpha);
  const decoded = await heif.heif_js_decode_image2(handle, heif.heif_colorspace_RGB, form);
  const plane = decoded.channels?.find(({ id }) => id === heif.heif_channel_interleaved);
  if (plane === undefined) throw damaged(name, decoded.message);
  try {
    if (plane.width !== width || plane.height !== height)
      throw damaged(name, `it is ${plane.width} x ${plane.height}, announced as ${width} x ${height}`);
    if (plane.bits_per_pixel !== bits)
      throw damaged(name, `its samples have ${plane.bits_per_pixel} bits, announced as ${bits}`);
    const packed = withoutPadding(name, plane, (hasAlpha ? 4 : 3) * (bits > 8 ? 2 : 1));
    return bits > 8 ? new Uint16Array(packed.buffer) : packed;
  } finally {
    heif.heif_image_release(decoded.image);
  }
}

function formOf(heif: Heif, isDeep: boolean, hasAlpha: boolean): unknown {
  if (!isDeep) return hasAlpha ? heif.heif_chroma_interleaved_RGBA : heif.heif_chroma_interleaved_RGB;
  if (endianness() === 'LE')
    return hasAlpha ? heif.heif_chroma_interleaved_RRGGBBAA_LE : heif.heif_chroma_interleaved_RRGGBB_LE;
  return hasAlpha ? heif.heif_chroma_interleaved_RRGGBBAA_BE : heif.heif_chroma_interleaved_RRGGBB_BE;
}

function withoutPadding(
  name: string,
  { data, width, height, stride }: { data: Uint8Array; width: number; height: number; stride: number },
  bytesOfPixel: number,
): Uint8Array<ArrayBuffer> {
  const row = width * bytesOfPixel;
  const packed = allocate(name, row * height);
  for (let y = 0; y < height; y++) packed.set(data.subarray(y * stride, y * stride + row), y * row);
  return packed;
}

/** The decoder's words belong to this file alone: each has a context of its own. */
function damaged(name: string, why: string | undefined): CraneError {
  const told = why?.split('\n')[0]?.trim() || 'its pixels are damaged, or of a form that is not read';
  return new CraneError('E_IMAGE_DECODE', `${name}: damaged or not readable: ${told}`);
}

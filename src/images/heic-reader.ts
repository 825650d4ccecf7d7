/// <reference path="./libheif-js.d.ts" />
/**
 * Reads HEIC, as phones write it, through libheif compiled to WebAssembly: an optional package, loaded for the first such
 * picture. It works on JavaScript's own thread. The file's turning is part of its pixels and always applied.
 */
import { CraneError } from '../errors.js';
import type { OpenFile } from '../files/open-file.js';
import { loadOptional } from '../files/optional-packages.js';
import type { Size } from '../options/types.js';
import { allocate } from './allocate.js';
import { checkSize, type ReadLimits } from './read-limits.js';
import { eightBits, type Samples } from './samples.js';

type Heif = typeof import('libheif-js/wasm-bundle.js')['default'];

/** @throws CraneError E_DEPENDENCY without the package, E_IMAGE_* */
export async function readHeic(name: string, file: OpenFile, limits: ReadLimits): Promise<Samples> {
  return withPicture(name, file, async (heif, handle) => {
    const size = sizeOf(heif, handle);
    checkSize(name, size.width, size.height, limits.maxPixels);
    const hasAlpha = heif.heif_image_handle_has_alpha_channel(handle) !== 0;
    const channels = hasAlpha ? 4 : 3;
    // The decoder's own planes, its colours, and the copy without padding.
    await limits.reserve?.(size.width * size.height * (channels * 2 + 3) + file.bytes);
    const form = hasAlpha ? heif.heif_chroma_interleaved_RGBA : heif.heif_chroma_interleaved_RGB;
    const decoded = await heif.heif_js_decode_image2(handle, heif.heif_colorspace_RGB, form);
    const plane = decoded.channels?.find(({ id }) => id === heif.heif_channel_interleaved);
    if (plane === undefined) throw damaged(name, decoded.message);
    try {
      if (plane.width !== size.width || plane.height !== size.height)
        throw damaged(
          name,
          `it is ${plane.width} x ${plane.height}, announced as ${size.width} x ${size.height}`,
        );
      return {
        data: withoutPadding(name, plane, channels),
        ...size,
        mode: hasAlpha ? 'RGBA' : 'RGB',
        stated: eightBits,
      };
    } finally {
      heif.heif_image_release(decoded.image);
    }
  });
}

/** @throws CraneError E_DEPENDENCY, E_IMAGE_DECODE, E_IMAGE_ANIMATED */
export async function measureHeic(name: string, file: OpenFile): Promise<Size> {
  return withPicture(name, file, async (heif, handle) => sizeOf(heif, handle));
}

async function withPicture<T>(
  name: string,
  file: OpenFile,
  work: (heif: Heif, handle: unknown) => Promise<T>,
): Promise<T> {
  const { default: heif } = await loadOptional(
    `reading HEIC (${name})`,
    ['libheif-js'],
    () => import('libheif-js/wasm-bundle.js'),
  );
  const context = heif.heif_context_alloc();
  try {
    const read = heif.heif_context_read_from_memory(context, await file.read(0, file.bytes));
    if (read.code !== heif.heif_error_Ok) throw damaged(name, read.message);
    const ids = heif.heif_js_context_get_list_of_top_level_image_IDs(context);
    if (!Array.isArray(ids) || ids.length === 0) throw damaged(name, 'it holds no picture');
    if (ids.length > 1) {
      throw new CraneError('E_IMAGE_ANIMATED', `${name}: holds ${ids.length} pictures, expected one`, {
        hint: 'save the wanted one as its own file',
      });
    }
    const handle = heif.heif_js_context_get_image_handle(context, ids[0]!);
    try {
      return await work(heif, handle);
    } finally {
      heif.heif_image_handle_release(handle);
    }
  } finally {
    heif.heif_context_free(context);
  }
}

function sizeOf(heif: Heif, handle: unknown): Size {
  return {
    width: heif.heif_image_handle_get_width(handle),
    height: heif.heif_image_handle_get_height(handle),
  };
}

function withoutPadding(
  name: string,
  { data, width, height, stride }: { data: Uint8Array; width: number; height: number; stride: number },
  channels: number,
): Uint8Array {
  const row = width * channels;
  const packed = allocate(name, row * height);
  for (let y = 0; y < height; y++) packed.set(data.subarray(y * stride, y * stride + row), y * row);
  return packed;
}

/** The decoder's words belong to this file alone: each has a context of its own. */
function damaged(name: string, why: string | undefined): CraneError {
  const told = why?.split('\n')[0]?.trim() || 'its pixels are damaged, or of a form that is not read';
  return new CraneError('E_IMAGE_DECODE', `${name}: damaged or not readable: ${told}`);
}

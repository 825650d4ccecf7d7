/** What is used of libheif-js, which brings no types for this entry: libheif's C functions, by their names. */
declare module 'libheif-js/wasm-bundle.js' {
  interface HeifError {
    code: unknown;
    message?: string;
  }
  interface DecodedHeif extends Partial<HeifError> {
    image: unknown;
    channels: {
      id: unknown;
      width: number;
      height: number;
      stride: number;
      bits_per_pixel: number;
      data: Uint8Array;
    }[];
  }
  interface HeifHandle {
    /** of embind: the C pointer, for functions that are not wrapped */
    $$?: { ptr?: number };
  }
  const libheif: {
    heif_error_Ok: unknown;
    heif_colorspace_RGB: unknown;
    heif_chroma_interleaved_RGB: unknown;
    heif_chroma_interleaved_RGBA: unknown;
    heif_chroma_interleaved_RRGGBB_LE: unknown;
    heif_chroma_interleaved_RRGGBBAA_LE: unknown;
    heif_chroma_interleaved_RRGGBB_BE: unknown;
    heif_chroma_interleaved_RRGGBBAA_BE: unknown;
    heif_channel_interleaved: unknown;
    heif_context_alloc(): unknown;
    heif_context_free(context: unknown): void;
    heif_context_read_from_memory(context: unknown, bytes: Uint8Array): HeifError;
    heif_js_context_get_list_of_top_level_image_IDs(context: unknown): number[] | HeifError;
    heif_js_context_get_image_handle(context: unknown, id: number): HeifHandle;
    _heif_image_handle_get_luma_bits_per_pixel?(handle: number): number;
    heif_image_handle_get_width(handle: unknown): number;
    heif_image_handle_get_height(handle: unknown): number;
    heif_image_handle_has_alpha_channel(handle: unknown): number;
    heif_image_handle_release(handle: unknown): void;
    heif_js_decode_image2(handle: unknown, colours: unknown, form: unknown): Promise<DecodedHeif>;
    heif_image_release(image: unknown): void;
  };
  export default libheif;
}

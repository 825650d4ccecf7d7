/** What is used of @cornerstonejs/codec-openjpeg, which brings no types: OpenJPEG's decoder, behind Emscripten's loader. */
declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  interface FrameInfo {
    width: number;
    height: number;
    bitsPerSample: number;
    componentCount: number;
    isSigned: boolean;
  }
  interface Decoder {
    getEncodedBuffer(bytes: number): Uint8Array;
    decode(): void;
    getFrameInfo(): FrameInfo;
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  }
  interface OpenJpeg {
    J2KDecoder: new () => Decoder;
  }
  interface Module {
    /** what the decoder says of its work */
    print(text: string): void;
    printErr(text: string): void;
    /** makes the instance instead of the loader */
    instantiateWasm(imports: object, made: (instance: object) => void): Record<string, never>;
  }
  export default function load(module: Module): Promise<OpenJpeg>;
}

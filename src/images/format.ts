/**
 * THE list of picture formats: what is read, and what is recognised so that it can be named. Only what stands among
 * the read formats ever reaches a decoder; file names decide in scans of folders, first bytes when a file is opened.
 */

interface ReadFormat {
  title: string;
  /** file name endings taken from folders */
  endings: readonly string[];
  isHead(head: Head): boolean;
}

interface KnownFormat {
  title: string;
  endings: readonly string[];
  /** absent: its first bytes tell nothing */
  isHead?(head: Head): boolean;
  /** how to get something that is read */
  hint?: string;
}

/** The first bytes of a file, as text of one byte a character where that is easier to compare. */
class Head {
  constructor(readonly bytes: Uint8Array) {}

  /** past the end: shorter */
  text(from: number, to: number): string {
    return String.fromCharCode(...this.bytes.subarray(from, to));
  }

  starts(text: string, at = 0): boolean {
    return this.text(at, at + text.length) === text;
  }

  /** The brands of an ISO media file (HEIC, AVIF, MP4, ...): the major one first. */
  brands(): string[] {
    if (!this.starts('ftyp', 4)) return [];
    const end = Math.min(
      this.bytes.length,
      64,
      new DataView(this.bytes.buffer, this.bytes.byteOffset).getUint32(0),
    );
    const brands = [this.text(8, 12)];
    for (let at = 16; at + 4 <= end; at += 4) brands.push(this.text(at, at + 4));
    return brands;
  }

  hasBrand(...names: readonly string[]): boolean {
    return this.brands().some((brand) => names.includes(brand));
  }
}

const readFormats = {
  png: {
    title: 'PNG',
    endings: ['png'],
    isHead: (head) => head.starts('\x89PNG\r\n\x1a\n'),
  },
  jpeg: {
    title: 'JPEG',
    endings: ['jpg', 'jpeg', 'jpe', 'jfif'],
    // A JPEG-LS file (marker F7) is another format.
    isHead: (head) => head.starts('\xff\xd8\xff') && head.bytes[3] !== 0xf7,
  },
  webp: {
    title: 'WebP',
    endings: ['webp'],
    isHead: (head) => head.starts('RIFF') && head.starts('WEBP', 8),
  },
  tiff: {
    title: 'TIFF',
    endings: ['tif', 'tiff'],
    isHead: (head) => /^(II[*+]\0|MM\0[*+])$/.test(head.text(0, 4)) && !head.starts('CR', 8),
  },
  gif: {
    title: 'GIF',
    endings: ['gif'],
    isHead: (head) => head.starts('GIF87a') || head.starts('GIF89a'),
  },
  bmp: {
    title: 'BMP',
    endings: ['bmp', 'dib'],
    // A list of paths may begin with BM too: the pixels of a bitmap begin within its first 64 KiB.
    isHead: (head) => head.starts('BM') && (head.bytes[12] ?? 0) === 0 && (head.bytes[13] ?? 0) === 0,
  },
  avif: {
    title: 'AVIF',
    endings: ['avif'],
    isHead: (head) => head.hasBrand('avif', 'avis'),
  },
  heic: {
    title: 'HEIC',
    endings: ['heic', 'heif', 'hif'],
    // The general brand mif1 is AVIF's too, which stands before.
    isHead: (head) => head.hasBrand('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'),
  },
  jp2: {
    title: 'JPEG 2000',
    endings: ['jp2', 'j2k', 'j2c', 'jpc'],
    isHead: (head) => head.starts('\0\0\0\x0cjP  \r\n\x87\n') || head.starts('\xff\x4f\xff\x51'),
  },
  pnm: {
    title: 'PBM, PGM, PPM, PFM',
    endings: ['pbm', 'pgm', 'ppm', 'pnm', 'pfm'],
    isHead: (head) => /^P[1-6]\s+[#\d]|^P[Ff]\s+\d/.test(head.text(0, 12)),
  },
} as const satisfies Record<string, ReadFormat>;

export type PictureFormat = keyof typeof readFormats;

const k_convert = 'convert it to PNG, for instance with ImageMagick: magick IN OUT.png';
const k_cameraRaw =
  'develop it to PNG or 16-bit TIFF first: how a raw file becomes colours is a choice of white balance and tone';
const k_scene =
  'save it as TIFF or PFM with its floating-point values and say --value-range LOW,HIGH, or as 16-bit PNG: which value is white is a choice';
const k_volume =
  'export its slices to 16-bit PNG or TIFF with the window that is meant, and say --value-range where the values are no whole range';
const k_array =
  'save each picture as PNG or TIFF (16 bits with --bit-depth, floating point with --value-range), or give { data, width, height, channels, bits } to the library';
const k_video = 'take the wanted frames out as PNG first';

const knownFormats: readonly KnownFormat[] = [
  { title: 'AVIF sequence', endings: ['avifs'], hint: k_video },
  { title: 'PAM', endings: ['pam'], isHead: (head) => head.starts('P7\n') },
  {
    title: 'JPEG 2000 with extensions',
    endings: ['jpf', 'jpx', 'jpm', 'jph', 'jhc'],
  },
  {
    title: 'JPEG XL',
    endings: ['jxl'],
    hint: 'convert it to PNG, which keeps every value: djxl IN.jxl OUT.png',
    isHead: (head) => head.starts('\xff\x0a') || head.starts('\0\0\0\x0cJXL \r\n\x87\n'),
  },
  { title: 'JPEG XR', endings: ['jxr', 'wdp', 'hdp'], isHead: (head) => head.starts('II\xbc') },
  { title: 'JPEG-LS', endings: ['jls'], isHead: (head) => head.starts('\xff\xd8\xff\xf7') },
  { title: 'TGA', endings: ['tga', 'vda', 'icb', 'vst'] },
  {
    title: 'Photoshop',
    endings: ['psd', 'psb'],
    isHead: (head) => head.starts('8BPS'),
    hint: "export its merged picture to PNG, for instance with ImageMagick: magick 'IN.psd[0]' OUT.png",
  },
  {
    title: 'GIMP',
    endings: ['xcf'],
    isHead: (head) => head.starts('gimp xcf'),
    hint: 'export it to PNG from GIMP: layers are merged as they are shown',
  },
  {
    title: 'OpenEXR',
    endings: ['exr'],
    isHead: (head) => head.starts('\x76\x2f\x31\x01'),
    hint: k_scene,
  },
  {
    title: 'Radiance HDR',
    endings: ['hdr', 'rgbe'],
    isHead: (head) => head.starts('#?RADIANCE') || head.starts('#?RGBE'),
    hint: k_scene,
  },
  { title: 'QOI', endings: ['qoi'], isHead: (head) => head.starts('qoif') },
  { title: 'BPG', endings: ['bpg'], isHead: (head) => head.starts('BPG\xfb') },
  { title: 'FLIF', endings: ['flif'], isHead: (head) => head.starts('FLIF') },
  { title: 'DDS', endings: ['dds'], isHead: (head) => head.starts('DDS ') },
  { title: 'PCX', endings: ['pcx'] },
  { title: 'Sun raster', endings: ['ras'], isHead: (head) => head.starts('\x59\xa6\x6a\x95') },
  { title: 'SGI', endings: ['sgi'], isHead: (head) => head.starts('\x01\xda') },
  {
    title: 'icon',
    endings: ['ico', 'cur'],
    isHead: (head) => head.starts('\0\0\x01\0') || head.starts('\0\0\x02\0'),
  },
  { title: 'SVG', endings: ['svg', 'svgz'], hint: 'draw it to PNG in the size that is meant' },
  { title: 'PDF', endings: ['pdf'], isHead: (head) => head.starts('%PDF'), hint: 'draw its pages to PNG' },
  {
    title: 'PostScript',
    endings: ['eps', 'ps'],
    isHead: (head) => head.starts('%!PS'),
    hint: 'draw it to PNG',
  },
  {
    title: 'DICOM',
    endings: ['dcm', 'dicom'],
    isHead: (head) => head.starts('DICM', 128),
    hint: 'export it to PNG with the window (level and width) that is meant',
  },
  { title: 'NIfTI', endings: ['nii'], hint: k_volume },
  {
    title: 'NRRD',
    endings: ['nrrd', 'nhdr'],
    isHead: (head) => /^NRRD\d{4}/.test(head.text(0, 8)),
    hint: k_volume,
  },
  { title: 'MetaImage', endings: ['mha', 'mhd'], hint: k_volume },
  {
    title: 'NumPy array',
    endings: ['npy', 'npz'],
    isHead: (head) => head.starts('\x93NUMPY'),
    hint: k_array,
  },
  {
    title: 'HDF5',
    endings: ['h5', 'hdf5'],
    isHead: (head) => head.starts('\x89HDF\r\n\x1a\n'),
    hint: k_array,
  },
  { title: 'MATLAB', endings: ['mat'], isHead: (head) => head.starts('MATLAB 5.0'), hint: k_array },
  {
    title: 'FITS',
    endings: ['fits', 'fit', 'fts'],
    isHead: (head) => head.starts('SIMPLE  ='),
    hint: 'export it to 16-bit PNG with the range that is meant',
  },
  {
    title: 'camera raw',
    endings: [
      'dng',
      'cr2',
      'cr3',
      'crw',
      'nef',
      'nrw',
      'arw',
      'srf',
      'sr2',
      'raf',
      'orf',
      'rw2',
      'pef',
      'srw',
      'x3f',
      '3fr',
      'iiq',
      'dcr',
      'kdc',
      'mrw',
      'erf',
    ],
    // Canon's CR2 is a TIFF with its own mark, the others begin with bytes of their own.
    isHead: (head) =>
      (/^(II\*\0|MM\0\*)$/.test(head.text(0, 4)) && head.starts('CR', 8)) ||
      head.hasBrand('crx ') ||
      head.starts('FUJIFILMCCD-RAW') ||
      /^(IIRO|IIRS|MMOR|IIU\0)$/.test(head.text(0, 4)) ||
      head.starts('FOVb'),
    hint: k_cameraRaw,
  },
  {
    title: 'headerless raw',
    endings: ['raw', 'bayer', 'yuv', 'nv12'],
    hint: 'a file without a header does not tell its size and depth: save frames as TIFF or PNG, or give { data, width, height, channels, bits, bayer } to the library',
  },
  {
    title: 'video',
    endings: ['mp4', 'm4v', 'mov', 'avi', 'mkv', 'webm', 'wmv', 'mpg', 'mpeg', 'seq'],
    isHead: (head) =>
      head.hasBrand('isom', 'iso2', 'mp41', 'mp42', 'avc1', 'qt  ', 'M4V ') ||
      (head.starts('RIFF') && head.starts('AVI ', 8)) ||
      head.starts('\x1a\x45\xdf\xa3'),
    hint: k_video,
  },
  {
    title: 'microscope',
    endings: ['czi', 'lif', 'nd2', 'oib', 'oif', 'vsi', 'ndpi', 'svs', 'mrxs', 'scn', 'lsm'],
    hint: 'export the wanted plane to TIFF or PNG',
  },
];

/** What a file is: read, recognised but not read, or nothing that is known as a picture. */
export type PictureKind =
  | { kind: 'read'; format: PictureFormat; title: string }
  | { kind: 'known'; title: string; hint: string }
  | { kind: 'unknown' };

/** Bytes of the head that are enough for every format, a GIF's colour table included. */
export const headBytes = 1024;

/** File name endings of the read formats. */
export const pictureEndings: readonly string[] = Object.values(readFormats).flatMap(({ endings }) => [
  ...endings,
]);

/** The read formats by name, for messages. */
export const readTitles: readonly string[] = Object.values(readFormats).map(({ title }) => title);

const k_byEnding = new Map<string, PictureKind>([
  ...knownFormats.flatMap((format) => format.endings.map((ending) => [ending, knownKind(format)] as const)),
  ...readEntries().flatMap(([name, format]) =>
    format.endings.map((ending) => [ending, readKind(name, format)] as const),
  ),
]);

/**
 * @param nameOrBytes a file's name or path, judged by its ending in any case (what scans of folders do), or the first
 * `headBytes` bytes of a file, judged by what they are
 */
export function pictureKind(nameOrBytes: string | Uint8Array): PictureKind {
  return typeof nameOrBytes === 'string' ? kindOfName(nameOrBytes) : kindOfHead(new Head(nameOrBytes));
}

/** The format of a file's first bytes, where it is one that is read. */
export function sniffFormat(head: Uint8Array): PictureFormat | undefined {
  const found = pictureKind(head);
  return found.kind === 'read' ? found.format : undefined;
}

/** The format that a name states, where first bytes cannot tell: TGA, PCX, headerless raw and the like. */
export function unmarkedKind(name: string): PictureKind {
  const found = kindOfName(name);
  const isUnmarked = knownFormats.some(
    (format) => found.kind === 'known' && format.title === found.title && !format.isHead,
  );
  return isUnmarked ? found : { kind: 'unknown' };
}

function kindOfName(name: string): PictureKind {
  const file = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  const dot = file.lastIndexOf('.');
  // '.png' alone is a hidden file without an ending.
  return (dot > 0 ? k_byEnding.get(file.slice(dot + 1).toLowerCase()) : undefined) ?? { kind: 'unknown' };
}

function kindOfHead(head: Head): PictureKind {
  for (const [name, format] of readEntries()) if (format.isHead(head)) return readKind(name, format);
  const known = knownFormats.find((format) => format.isHead?.(head));
  return known ? knownKind(known) : { kind: 'unknown' };
}

function readEntries(): [PictureFormat, ReadFormat][] {
  return Object.entries(readFormats) as [PictureFormat, ReadFormat][];
}

function readKind(format: PictureFormat, { title }: ReadFormat): PictureKind {
  return { kind: 'read', format, title };
}

function knownKind({ title, hint = k_convert }: KnownFormat): PictureKind {
  return { kind: 'known', title, hint };
}

/**
 * The library that reads and writes pictures, as all of src/ uses it: without its cache. That knows a file by its name, so a picture
 * put in another's place could be scored by the pixels of the one before (a WebP was), and it grows with every file. The cache is
 * of the process: a program that uses the same library has none either.
 */
import sharp from 'sharp';

sharp.cache(false);

export type { Metadata, Sharp } from 'sharp';
export { sharp };

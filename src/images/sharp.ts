/**
 * The library that reads and writes pictures, as all of src/ uses it: without its cache. That knows a file by its name, so a picture
 * put in another's place could be scored by the pixels of the one before (a WebP was), and it grows with every file. The cache is
 * of the process: a program that uses the same library has none either. It is turned off at every use, since each copy of the library
 * that a program or a thread loads turns it on.
 */
import library from 'sharp';

export const sharp = new Proxy(library, {
  apply(target, self, inputs) {
    target.cache(false);
    return Reflect.apply(target, self, inputs);
  },
});

export type { Metadata, Sharp } from 'sharp';

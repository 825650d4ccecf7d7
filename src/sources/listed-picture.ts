/** A picture as sources list it, and how it is named. */
import { basename, isAbsolute, relative } from 'node:path';
import type { PictureInput } from '../images/picture-input.js';
import { withoutLogin } from '../terminal/shown-address.js';
import type { OwnChoices } from './manifest.js';
import { isRemotePicture } from './remote-picture.js';

export interface ListedPicture {
  input: PictureInput;
  /** as shown in results */
  name: string;
  /** where its files go below an output folder: never absolute, never with '..' */
  place: string;
  /** of a row of a manifest */
  own?: OwnChoices;
}

/** The path below the working folder; of paths elsewhere the last part; of addresses what follows the scheme. */
export function placeOf(path: string): string {
  if (path.startsWith('data:')) return 'data';
  if (isRemotePicture(path))
    return withoutLogin(path)
      .replace(/^[a-z0-9]+:\/\//i, '')
      .replace(/[?#].*$/s, '');
  const below = relative('.', path);
  return below.startsWith('..') || isAbsolute(below) ? basename(path) : below;
}

export function shortName(name: string): string {
  if (isRemotePicture(name)) return withoutLogin(name);
  return name.startsWith('data:') ? `${name.slice(0, 32).split(',')[0]},...` : name;
}

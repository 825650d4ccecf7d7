/** A picture of a request, and what bounds requests. */
import type { BodyLimits } from './read-body.js';

export interface NamedPicture {
  name: string;
  bytes: Uint8Array;
  /** the field of a form that it came in, or what JSON says of it */
  label?: string;
}

export interface RequestLimits extends BodyLimits {
  maxFiles: number;
  requestTimeoutMs: number;
}

/** What a route takes of pictures: all else is refused, since nobody would see that it was not heeded. */
export interface PictureKinds {
  /** fields of a form that pictures come in; undefined: any */
  fields?: readonly string[];
  /** JSON may say of each whether it is good or bad */
  hasLabels?: boolean;
  /** a mask of what is ignored may come beside the pictures: a part of a form, or a field of JSON, of this name */
  takesMask?: boolean;
}

export const k_maskName = 'ignore';

const k_maxName = 255;

/** A client's name of a file: shown in results and never opened. */
export function safeName(given: string | undefined, index: number): string {
  const name = (given ?? '').replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, k_maxName);
  return name === '' ? `picture ${index}` : name;
}

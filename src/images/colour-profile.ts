/**
 * What an ICC profile says that matters though profiles are not applied (method.md 2): values that are linear in light, or
 * colours much wider than sRGB, make another picture of the same scene. Hostile bytes: every offset is checked.
 */
import type { PictureNote } from './samples.js';

/** sRGB and its kin lie at 1.8 to 2.4. */
const k_leastGamma = 1.4;
/** X of the red primary: 0.44 in sRGB, 0.52 in the Display P3 of phones, 0.61 in Adobe RGB, 0.80 in ProPhoto. */
const k_wideRed = 0.56;
const k_mostTags = 200;

/** @param icc the profile's bytes as the file holds them */
export function profileNotes(icc: Uint8Array | undefined): PictureNote[] {
  if (icc === undefined || icc.length < 132) return [];
  const view = new DataView(icc.buffer, icc.byteOffset, icc.byteLength);
  const gamma = gammaOf(view, tagAt(view, 'rTRC') ?? tagAt(view, 'kTRC'));
  if (gamma !== undefined && gamma < k_leastGamma)
    return [
      note(
        `its colour profile says that its values are linear in light (gamma ${gamma.toFixed(1)}): it looks darker than other pictures`,
      ),
    ];
  const red = tagAt(view, 'rXYZ');
  const x = red === undefined ? undefined : fixedAt(view, red + 8);
  return x !== undefined && x > k_wideRed
    ? [note('its colour profile is much wider than sRGB: its colours look duller than they are')]
    : [];
}

function note(what: string): PictureNote {
  return { kind: 'profile', message: `${what}, since profiles are not applied; convert it to sRGB first` };
}

function tagAt(view: DataView, wanted: string): number | undefined {
  const count = Math.min(view.getUint32(128), k_mostTags);
  for (let at = 132; at + 12 <= view.byteLength && at < 132 + 12 * count; at += 12)
    if (textAt(view, at) === wanted) return view.getUint32(at + 4);
  return undefined;
}

function gammaOf(view: DataView, at: number | undefined): number | undefined {
  if (at === undefined || at + 14 > view.byteLength) return undefined;
  if (textAt(view, at) === 'para') return fixedAt(view, at + 12);
  if (textAt(view, at) !== 'curv') return undefined;
  const count = view.getUint32(at + 8);
  if (count === 0) return 1;
  if (count === 1) return view.getUint16(at + 12) / 256;
  // A table: the exponent that meets it in the middle.
  const middle = at + 12 + 2 * Math.floor((count - 1) / 2);
  if (middle + 2 > view.byteLength) return undefined;
  const value = view.getUint16(middle) / 65535;
  return value > 0 && value < 1
    ? Math.log(value) / Math.log(Math.floor((count - 1) / 2) / (count - 1))
    : undefined;
}

function fixedAt(view: DataView, at: number): number | undefined {
  return at + 4 <= view.byteLength ? view.getInt32(at) / 65536 : undefined;
}

function textAt(view: DataView, at: number): string {
  if (at + 4 > view.byteLength) return '';
  return String.fromCharCode(...[0, 1, 2, 3].map((byte) => view.getUint8(at + byte)));
}

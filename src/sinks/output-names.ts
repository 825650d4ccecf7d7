/**
 * Names of the files that belong to a picture, below the output folder: they mirror the inputs' names, never leave
 * the folder and never meet. They depend only on the inputs before: shards and resumed runs get the same names.
 */
const k_maxNameBytes = 180;

export class OutputNames {
  readonly #taken = new Set<string>();

  /** @param place relative path of the input; returns it without its ending, made safe and unique */
  claim(place: string): string {
    const parts = place.split(/[\\/]+/).filter((part) => part !== '' && part !== '.' && part !== '..');
    const safe = parts.map(safePart);
    const whole = safe.join('/') || 'picture';
    const stem = whole.replace(/\.[^./]+$/, '') || whole;
    for (const name of candidates(stem, whole)) {
      // File systems may ignore case and the form of accents.
      const key = name.normalize('NFC').toLowerCase();
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      return name;
    }
    throw new RangeError('unreachable: candidates never end');
  }
}

/** a, then a.png, then a.png~2, a.png~3, ... */
function* candidates(stem: string, whole: string): Generator<string> {
  yield stem;
  if (whole !== stem) yield whole;
  for (let count = 2; ; count++) yield `${whole}~${count}`;
}

function safePart(part: string): string {
  // Characters and endings that Windows refuses.
  const clean = part.replace(/[<>:"|?*\p{Cc}]/gu, '_').replace(/[. ]+$/, (end) => '_'.repeat(end.length));
  if (Buffer.byteLength(clean) <= k_maxNameBytes) return clean;
  let cut = clean;
  while (Buffer.byteLength(cut) > k_maxNameBytes) cut = [...cut].slice(0, -1).join('');
  return cut;
}

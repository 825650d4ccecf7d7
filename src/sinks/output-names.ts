/**
 * Names of the files that belong to a picture, below the output folder: they mirror the inputs' names, never leave
 * the folder and never meet. They depend only on the inputs before and on the results that are kept, whose names
 * stay theirs: shards and resumed runs of the same inputs get the same names.
 */
const k_maxNameBytes = 180;

export class OutputNames {
  readonly #taken = new Set<string>();
  readonly #kept = new Map<string, string>();

  /** @param kept input of each result of an earlier run, by the name of its files */
  constructor(kept: ReadonlyMap<string, string> = new Map()) {
    for (const [name, input] of kept) this.#kept.set(keyOf(name), input);
  }

  /**
   * @param place relative path of the input; returns it without its ending, made safe and unique
   * @param input its name in results: what it got earlier is free for it
   */
  claim(place: string, input = place): string {
    const parts = place.split(/[\\/]+/).filter((part) => part !== '' && part !== '.' && part !== '..');
    const safe = parts.map(safePart);
    const whole = safe.join('/') || 'picture';
    const stem = whole.replace(/\.[^./]+$/, '') || whole;
    for (const name of candidates(stem, whole)) {
      const key = keyOf(name);
      if (this.#taken.has(key) || (this.#kept.get(key) ?? input) !== input) continue;
      this.#taken.add(key);
      return name;
    }
    throw new RangeError('unreachable: candidates never end');
  }
}

/** File systems may ignore case and the form of accents. */
function keyOf(name: string): string {
  return name.normalize('NFC').toLowerCase();
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

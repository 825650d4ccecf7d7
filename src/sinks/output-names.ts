/**
 * Names of the files that belong to a picture, below the output folder: they mirror the inputs' names, never leave
 * the folder and never meet. They depend only on the inputs before and on the results that are kept, whose names
 * stay theirs: shards and resumed runs of the same inputs get the same names.
 */
const k_maxNameBytes = 180;

export class OutputNames {
  readonly #taken = new Set<string>();
  readonly #kept = new Map<string, string>();
  readonly #numbered: ReadonlyMap<string, Map<string, number[]>>;
  /** by name before the number: all below are taken, or were somebody's */
  readonly #next = new Map<string, number>();

  /** @param kept input of each result of an earlier run, by the name of its files */
  constructor(kept: ReadonlyMap<string, string> = new Map()) {
    for (const [name, input] of kept) this.#kept.set(keyOf(name), input);
    this.#numbered = numberedOf(this.#kept);
  }

  /**
   * a, then a.png, then a.png~2, a.png~3, ...
   * @param place relative path of the input; returns it without its ending, made safe and unique
   * @param input its name in results: what it got earlier is free for it
   */
  claim(place: string, input = place): string {
    const parts = place.split(/[\\/]+/).filter((part) => part !== '' && part !== '.' && part !== '..');
    const safe = parts.map(safePart);
    const whole = safe.join('/') || 'picture';
    const stem = whole.replace(/\.[^./]+$/, '') || whole;
    for (const name of stem === whole ? [stem] : [stem, whole]) {
      const key = keyOf(name);
      if (this.#taken.has(key) || (this.#kept.get(key) ?? input) !== input) continue;
      this.#taken.add(key);
      return name;
    }
    return this.#claimNumbered(whole, input);
  }

  /** a.png~2, a.png~3, ...: the first that is free for this input, without another look at those that never will be. */
  #claimNumbered(whole: string, input: string): string {
    const key = keyOf(whole);
    const nameOf = (count: number) => `${whole}~${count}`;
    let free = this.#next.get(key) ?? 2;
    for (; ; free++) {
      const candidate = keyOf(nameOf(free));
      if (!this.#taken.has(candidate) && !this.#kept.has(candidate)) break;
    }
    this.#next.set(key, free);
    // What it got earlier comes first, if its number does; what another whole name took is gone.
    const own = this.#numbered.get(input)?.get(key) ?? [];
    while (own.length > 0 && this.#taken.has(keyOf(nameOf(own.at(-1)!)))) own.pop();
    const name = nameOf(Math.min(free, own.at(-1) ?? free));
    this.#taken.add(keyOf(name));
    return name;
  }
}

/** Numbers that inputs got earlier, by input and name before the number, the lowest one last. */
function numberedOf(kept: ReadonlyMap<string, string>): Map<string, Map<string, number[]>> {
  const numbered = new Map<string, Map<string, number[]>>();
  for (const [key, input] of kept) {
    const [, name, digits] = /^(.*)~([1-9]\d{0,14})$/s.exec(key) ?? [];
    if (name === undefined || digits === '1') continue;
    const ofInput = numbered.get(input) ?? new Map<string, number[]>();
    numbered.set(input, ofInput);
    const numbers = ofInput.get(name);
    if (numbers) numbers.push(Number(digits));
    else ofInput.set(name, [Number(digits)]);
  }
  for (const ofInput of numbered.values())
    for (const numbers of ofInput.values()) numbers.sort((a, b) => b - a);
  return numbered;
}

/** File systems may ignore case and the form of accents. */
function keyOf(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function safePart(part: string): string {
  // Characters and endings that Windows refuses.
  const clean = withoutEnding(part.replace(/[<>:"|?*\p{Cc}]/gu, '_'));
  if (Buffer.byteLength(clean) <= k_maxNameBytes) return clean;
  let [bytes, length] = [0, 0];
  for (const character of clean) {
    bytes += Buffer.byteLength(character);
    if (bytes > k_maxNameBytes) break;
    length += character.length;
  }
  return clean.slice(0, length);
}

/** Dots and spaces at the end become lines. A pattern would look from each of a long row of them once more. */
function withoutEnding(part: string): string {
  let end = part.length;
  while (end > 0 && (part[end - 1] === '.' || part[end - 1] === ' ')) end--;
  return part.slice(0, end) + '_'.repeat(part.length - end);
}

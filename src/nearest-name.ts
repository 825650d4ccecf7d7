/** Longer than any name: it would only take time. */
const k_maxGiven = 80;

/** The known name nearest to a misspelt one; undefined when none is near. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  if (given.length > k_maxGiven) return undefined;
  const limit = Math.max(2, Math.floor(given.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const name of known) {
    const distance = editDistance(plain(given), plain(name));
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Case and dashes are the usual slips: they cost nothing. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll('-', '');
}

/** Insertions, deletions and substitutions that turn one into the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const substitution = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[to.length]!;
}

/** Share of (anomalous, normal) pairs in which the anomalous picture scores higher; a tie counts half. */

export function pairwiseAuroc(scored: { score: number; isAnomalous: boolean }[]): number | undefined {
  const anomalous = scored.filter((picture) => picture.isAnomalous);
  const normal = scored.filter((picture) => !picture.isAnomalous);
  if (anomalous.length === 0 || normal.length === 0) return undefined;
  let wins = 0;
  for (const a of anomalous) {
    for (const n of normal) wins += a.score > n.score ? 1 : a.score === n.score ? 0.5 : 0;
  }
  return wins / (anomalous.length * normal.length);
}

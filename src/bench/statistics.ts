/** The figures of a handful of times: the median is what is compared, the extremes show how calm the machine was. */

/** NaN when there is none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The median of the rounds' own ratios: what disturbs the machine for a while disturbs both of a round, and cancels.
 * Rounds that one of the two did not finish are left out.
 */
export function pairedRatio(
  ours: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
): number {
  const ratios = ours.flatMap((own, round) => {
    const other = theirs[round];
    return own === undefined || other === undefined ? [] : [own / other];
  });
  return median(ratios);
}

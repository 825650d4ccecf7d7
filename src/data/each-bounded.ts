/** Does something for every element, at most `limit` at a time; results keep the order of the elements. */
export async function eachBounded<T, R>(
  elements: readonly T[],
  limit: number,
  work: (element: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(elements.length);
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < elements.length && !failed) {
      const index = next++;
      try {
        results[index] = await work(elements[index]!, index);
      } catch (thrown) {
        failed = true;
        throw thrown;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, elements.length) }, lane));
  return results;
}

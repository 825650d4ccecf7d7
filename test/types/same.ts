/** Compiles only where both types are the same: `same<A, B>(true)`. */
export declare function same<A, B>(
  isSame: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false,
): void;

same<number, number>(true);
// @ts-expect-error neither is the other's part
same<number, number | null>(true);

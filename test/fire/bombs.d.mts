export const bombs: Record<string, () => Buffer>;
export function tryBombs(): { name: string; bytes: number; code: string; ms: number; grownMb: number }[];

/** Colours of texts for a terminal, or none. */
export interface Paint {
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

export function painter(hasColour: boolean): Paint {
  const paint = (code: number) => (text: string) => (hasColour ? `\x1b[${code}m${text}\x1b[0m` : text);
  return { dim: paint(2), red: paint(31), green: paint(32), yellow: paint(33) };
}

export const plain: Paint = painter(false);

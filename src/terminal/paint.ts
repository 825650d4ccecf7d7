/** Colours of texts for a terminal, or none. */
export interface Paint {
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** Inner stages by name. */
export interface TraceResult {
  [stage: string]: { shape: number[]; data: Float32Array };
}

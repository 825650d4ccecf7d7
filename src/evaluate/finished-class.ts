/** A class that was scored to its end: what its file in state/ holds. */
import type { ClassMetrics } from '../metrics/index.js';
import type { Examples, TestedPicture } from '../runs/test-run.js';

export interface FinishedClass {
  /** label of the model; null when no picture could be scored */
  model: string | null;
  className: string;
  metrics: ClassMetrics;
  pictures: TestedPicture[];
  examples: Examples;
}

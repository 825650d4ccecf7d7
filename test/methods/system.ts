import type { Subject } from './fixture/subject.js';

/** The comparison of one compared system with its fixtures. */
export interface System {
  /** as the folder of its fixtures is called, or begins before a "-" */
  name: string;
  /** runs the method and compares every key of the fixtures, or says why one is not compared */
  compare(subject: Subject): Promise<void>;
  /** tensors that play no part, by their names in the files: the self-check does not disturb them */
  unused?: RegExp;
}

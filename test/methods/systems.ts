/** THE list of compared systems; a new one is a file in systems/ and an entry here. */
import type { Subject } from './fixture/subject.js';

export interface System {
  /** as the folder of its fixtures is called, or begins before a "-" */
  name: string;
  /** runs the method and compares every key of the fixtures, or says why one is not compared */
  compare(subject: Subject): Promise<void>;
  /** tensors that play no part, by their names in the files: the self-check does not disturb them */
  unused?: RegExp;
}

export const systems: readonly System[] = [];

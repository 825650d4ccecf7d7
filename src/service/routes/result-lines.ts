/** The answer in lines: one for each picture as soon as it is done. */
import { toCraneError } from '../../errors.js';
import { failureBody, type ResultBody, resultBody } from '../answers.js';
import type { NamedPicture } from '../requests/named-picture.js';
import type { Scored } from '../supervisor.js';

/** `index` says which picture a line is of. A picture that fails has its line too, and is nobody's fault where nobody reads the lines. */
export function linesAsDone(
  pictures: readonly NamedPicture[],
  works: readonly Promise<Scored>[],
): AsyncGenerator<string> {
  const done: ResultBody[] = [];
  let wake = () => {};
  // Before the first line is asked for: a stream that is destroyed at once never asks for one.
  for (const [index, work] of works.entries()) {
    const { name } = pictures[index]!;
    void work
      .then(
        (scored) => resultBody(name, index, scored),
        (thrown: unknown) => failureBody(name, index, toCraneError(thrown)),
      )
      .then((body) => {
        done.push(body);
        wake();
      });
  }
  async function* lines() {
    for (let left = works.length; left > 0; left--) {
      while (done.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      yield `${JSON.stringify(done.shift())}\n`;
    }
  }
  return lines();
}

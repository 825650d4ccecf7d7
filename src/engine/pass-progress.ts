/** How far a pass is, told while it runs: the addon counts views, and is asked only where somebody listens. */
import type { CancelFlag } from '../addon/native.js';
import type { ViewsOfPicture } from './scheduler-job.js';

const k_askMs = 200;

/**
 * @param pictures of the pass, whose views come one picture after the other
 * @returns what ends it, after a last look
 */
export function followViews(
  pictures: readonly { views?: ViewsOfPicture | undefined }[],
  flag: Pick<CancelFlag, 'viewsDone'>,
): () => void {
  if (!pictures.some(({ views }) => views?.tell)) return () => {};
  const told = pictures.map(() => 0);
  const look = () => {
    let left = flag.viewsDone;
    for (const [at, { views }] of pictures.entries()) {
      const done = Math.min(left, views?.count ?? 1);
      left -= done;
      if (done === told[at]) continue;
      told[at] = done;
      views?.tell?.(done);
    }
  };
  const timer = setInterval(look, k_askMs);
  return () => {
    clearInterval(timer);
    look();
  };
}

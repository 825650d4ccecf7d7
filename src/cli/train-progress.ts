/** Progress of a training on a terminal. */
import { visible } from '../terminal/visible.js';
import type { TrainProgress } from '../train/progress.js';
import { type Context, say } from './context.js';
import type { Progress } from './progress.js';

/** Progress on a terminal as a bar; what is worth keeping as lines on stderr. */
export function shower(context: Context, progress: Progress): (event: TrainProgress) => void {
  let stage = '';
  const line = (text: string) => {
    progress.clear();
    say(context, text);
  };
  return (event) => {
    const ofSeed = event.runs > 1 ? `seed ${event.seed}: ` : '';
    if (event.stage === 'note') return line(visible(ofSeed + event.text));
    if (event.stage === 'epoch') {
      const { epoch, epochs, losses } = event;
      const { focal, dice, image, total } = losses;
      return line(
        `${ofSeed}epoch ${epoch}/${epochs}: loss ${total.toFixed(4)} (focal ${focal.toFixed(4)}, dice ${dice.toFixed(4)}, image ${image.toFixed(4)})`,
      );
    }
    const current = `${event.run} ${event.stage}`;
    if (current !== stage) {
      stage = current;
      if (event.stage === 'features') line(`${ofSeed}computing the features of ${event.total} pictures`);
      progress.stage(ofSeed + k_stageNames[event.stage], event.total);
    }
    progress.at(
      event.done,
      event.stage === 'step'
        ? `epoch ${event.epoch}/${event.epochs}, loss ${event.losses.total.toFixed(3)}`
        : undefined,
    );
  };
}

const k_stageNames = { reading: 'reading', features: 'features', step: 'learning' } as const;

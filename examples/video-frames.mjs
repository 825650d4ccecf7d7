// Scores the frames of a film without a file for each:
// ffmpeg -v error -i film.mp4 -vf fps=2 -f rawvideo -pix_fmt rgb24 - | node video-frames.mjs WIDTH HEIGHT > results.jsonl
// The pipe waits while frames are scored, so that a few of them are held, however long the film is.
import { once } from 'node:events';
import { loadEngine } from 'crane-native';

const [width, height] = process.argv.slice(2).map(Number);
const bytes = width * height * 3;
if (!(bytes > 0)) throw new Error('node video-frames.mjs WIDTH HEIGHT: of the frames, in pixels');

async function* frames() {
  let data = new Uint8Array(bytes);
  let filled = 0;
  let count = 0;
  for await (const chunk of process.stdin) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + bytes - filled);
      data.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < bytes) continue;
      yield { input: { data, width, height, channels: 3 }, name: `frame ${count++}` };
      // The frame is the engine's until its result is there.
      data = new Uint8Array(bytes);
      filled = 0;
    }
  }
  // Another size than the film's gives pictures of nothing: a rest tells.
  if (filled > 0) throw new Error(`${filled} bytes after frame ${count - 1}: is it ${width} x ${height}?`);
}

const engine = await loadEngine();
for await (const { ms, ...result } of engine.scoreMany(frames())) {
  if (!process.stdout.write(`${JSON.stringify(result)}\n`)) await once(process.stdout, 'drain');
}
await engine.dispose();

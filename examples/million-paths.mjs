// Scores a list of any length with little memory: find /archive -name '*.jpg' | node million-paths.mjs > results.jsonl
// The list is read only as far as the work goes on; a picture that fails is a line with an error and ends nothing.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { loadEngine } from 'crane-native';

const engine = await loadEngine();
const paths = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
for await (const { ms, ...result } of engine.scoreMany(paths, { ordered: false })) {
  // Waits for a slow reader instead of holding its lines.
  if (!process.stdout.write(`${JSON.stringify(result)}\n`)) await once(process.stdout, 'drain');
}
await engine.dispose();

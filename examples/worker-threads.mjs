// An engine in a worker thread, so that the main thread stays free whatever it does: node worker-threads.mjs PICTURE...
// Engines of one process share one compute thread: a second worker makes nothing faster.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { loadEngine } from 'crane-native';

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const paths = process.argv.slice(2);
  worker.on('message', (result) => {
    console.log(JSON.stringify(result));
    if (result.index === paths.length - 1) worker.postMessage(null);
  });
  worker.postMessage(paths);
} else {
  const engine = await loadEngine();
  const paths = await new Promise((resolve) => parentPort.once('message', resolve));
  for await (const { ms, ...result } of engine.scoreMany(paths)) parentPort.postMessage(result);
  await new Promise((resolve) => parentPort.once('message', resolve));
  await engine.dispose();
}

// Several processes behind one port: node cluster.mjs. Each has its own engine; the cores are divided among them by `threads`.
// Weights are mapped from the cache folder and shared.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { availableParallelism } from 'node:os';
import { loadEngine } from 'crane-native';

const k_processes = 2;

if (cluster.isPrimary) {
  let ready = 0;
  for (let count = 0; count < k_processes; count++) cluster.fork();
  cluster.on('listening', (_worker, { port }) => {
    if (++ready === k_processes) console.log(`http://127.0.0.1:${port}`);
  });
  process.once('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill('SIGTERM');
  });
} else {
  const engine = await loadEngine({ threads: Math.max(1, Math.floor(availableParallelism() / k_processes)) });
  const server = createServer(async (request, reply) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = await engine.score(Buffer.concat(chunks)).then(
      ({ score }) => ({ score, process: process.pid }),
      (error) => ({ error: error.toJSON() }),
    );
    reply
      .writeHead('error' in answer ? 400 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer));
  });
  server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
  process.once('SIGTERM', () => {
    server.close(async () => {
      await engine.dispose();
      process.exit(0);
    });
    server.closeIdleConnections();
  });
}

// Scores pictures inside an Express server of your own: node express.mjs, then
// curl --data-binary @part.jpg -H 'Content-Type: image/jpeg' http://127.0.0.1:3000/score
import { CraneError, errorTable, loadEngine } from 'crane-native';
import express from 'express';

const engine = await loadEngine({ maxQueue: 64 });
const app = express();

app.post('/score', express.raw({ type: 'image/*', limit: 20e6 }), async (request, response) => {
  if (!Buffer.isBuffer(request.body)) return response.status(415).json({ message: 'send a picture' });
  // A client that goes takes its work with it.
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { score, anomalous, regions } = await engine.score(request.body, {
    regions: true,
    signal: gone.signal,
  });
  response.json({ score, anomalous, regions });
});

// Express tells it from other handlers by its four parameters.
app.use((error, _request, response, _next) => {
  if (!(error instanceof CraneError))
    return response.status(error.status ?? 500).json({ message: error.message });
  // Full: say when to come again.
  if (error.code === 'E_QUEUE_FULL')
    response.set('retry-after', String(Math.ceil((engine.queue.retryAfterMs ?? 1000) / 1000)));
  response.status(errorTable[error.code].http).json(error.toJSON());
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
);
process.once('SIGTERM', () => server.close(() => engine.dispose()));

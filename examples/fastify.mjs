// Scores pictures inside a Fastify server of your own: node fastify.mjs, then
// curl --data-binary @part.jpg -H 'Content-Type: image/jpeg' http://127.0.0.1:3000/score
import { CraneError, errorTable, loadEngine } from 'crane-native';
import fastify from 'fastify';

const engine = await loadEngine({ maxQueue: 64 });
const app = fastify({ bodyLimit: 20e6 });
app.addContentTypeParser(/^image\//, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

app.post('/score', async (request, reply) => {
  // A client that goes takes its work with it.
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const { score, anomalous, regions } = await engine.score(request.body, {
    regions: true,
    signal: gone.signal,
  });
  return { score, anomalous, regions };
});

app.setErrorHandler((error, _request, reply) => {
  if (!(error instanceof CraneError))
    return reply.code(error.statusCode ?? 500).send({ message: error.message });
  // Full: say when to come again.
  if (error.code === 'E_QUEUE_FULL')
    reply.header('retry-after', Math.ceil((engine.queue.retryAfterMs ?? 1000) / 1000));
  return reply.code(errorTable[error.code].http).send(error.toJSON());
});

console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }));
process.once('SIGTERM', async () => {
  await app.close();
  await engine.dispose();
});

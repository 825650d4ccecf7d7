// curl --data-binary @part.jpg -H 'Content-Type: image/jpeg' http://127.0.0.1:3000/score
import { CraneError, errorTable } from 'crane-native';
import { engine } from './engine.js';

/** Not the edge's runtime, which has no addons. */
export const runtime = 'nodejs';

export async function POST(request) {
  try {
    const { score, anomalous, regions } = await (await engine()).score(await request.arrayBuffer(), {
      regions: true,
      // A client that goes takes its work with it.
      signal: request.signal,
    });
    return Response.json({ score, anomalous, regions });
  } catch (error) {
    if (!(error instanceof CraneError)) throw error;
    return Response.json(error, { status: errorTable[error.code].http });
  }
}

// Load on the service: node test/bench/serve.mjs [--connections 32] [--seconds 30] [--page]
// Pictures/s of the library alone (32 calls at once) and through the service in the same run, and the delay of the service's
// event loop while it scores. --page sends what the page sends, maps included. Needs npm run build:ts and the addon, and a
// machine that does nothing else. The last line is JSON.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '30' },
    page: { type: 'boolean', default: false },
  },
});
const connections = Number(values.connections);
const seconds = Number(values.seconds);
const root = new URL('../../', import.meta.url);
const picture = readFileSync(new URL('models/crane-mini/samples/bsdata-pitting-p00.jpg', root));
const k_warmUp = 8;
/** the first passes are small ones */
const k_settleMs = 3000;
const k_burstMs = 30;

/**
 * Calls `one` from so many loops at once until the time is over. Pictures are done in bursts, a forward pass each, so that what is
 * counted runs from the end of one burst to the end of another: a pass more or less in the time would be some per cent.
 */
async function rate(one, loops) {
  await Promise.all(Array.from({ length: k_warmUp }, one));
  const begin = performance.now();
  const end = begin + 1000 * seconds;
  const times = [];
  const loop = async () => {
    while (performance.now() < end) {
      await one();
      times.push(performance.now());
    }
  };
  await Promise.all(Array.from({ length: loops }, loop));
  const within = times.filter((time) => time > begin + k_settleMs && time < end);
  const burstEnd = (time) => within.findLast((other) => other < time + k_burstMs);
  const first = burstEnd(within[0]);
  const last = within.at(-1);
  return (1000 * within.filter((time) => time > first).length) / (last - first);
}

async function library() {
  const { loadEngine } = await import('../../dist/index.js');
  const engine = await loadEngine();
  const options = values.page ? { map: true, regions: true } : {};
  const perSecond = await rate(() => engine.score(picture, options), connections);
  await engine.dispose();
  return perSecond;
}

async function service() {
  const child = spawn(
    process.execPath,
    [new URL('dist/cli/main.js', root).pathname, 'serve', '--port', '0', '--log-level', 'warn'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const url = await new Promise((resolve) =>
    child.stdout.once('data', (text) => resolve(String(text).trim())),
  );
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const statuses = {};
  const path = `${url}v1/score${values.page ? '?map=true&regions=true' : ''}`;
  const post = () =>
    new Promise((resolve, reject) => {
      const asked = request(
        path,
        { method: 'POST', agent, headers: { 'content-type': 'image/jpeg' } },
        (reply) => {
          statuses[reply.statusCode] = (statuses[reply.statusCode] ?? 0) + 1;
          reply.on('end', resolve).resume();
        },
      );
      asked.on('error', reject);
      asked.end(picture);
    });
  const perSecond = await rate(post, connections);
  const metrics = await (await fetch(`${url}metrics`)).text();
  const figure = (name) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(metrics)?.[1]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  agent.destroy();
  return {
    perSecond,
    statuses,
    loopDelayP99Ms: 1000 * figure('nodejs_eventloop_lag_p99_seconds'),
    residentBytes: figure('process_resident_memory_bytes'),
  };
}

// Before and after the service: a machine that became slower is seen.
const before = await library();
const served = await service();
const after = await library();
const share = served.perSecond / ((before + after) / 2);
console.log(
  `library ${before.toFixed(2)} and ${after.toFixed(2)}, service ${served.perSecond.toFixed(2)} pictures/s: ${(100 * share).toFixed(1)} %`,
);
console.log(
  JSON.stringify({ connections, seconds, page: values.page, library: [before, after], ...served, share }),
);

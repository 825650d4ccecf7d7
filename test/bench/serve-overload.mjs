// Ten times what the service can do: node test/bench/serve-overload.mjs [--seconds 60] [--times 10]
// Sends pictures at a fixed rate whatever comes back, and tells the answers by status, the most memory that the service's processes
// held, and how long after the end it took until a picture was answered within twice the time that it took before. Needs
// npm run build:ts and the addon. The last line is JSON.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, times: { type: 'string', default: '10' } },
});
const root = new URL('../../', import.meta.url);
const picture = readFileSync(new URL('models/crane-mini/samples/bsdata-pitting-p00.jpg', root));
const child = spawn(
  process.execPath,
  [
    new URL('dist/cli/main.js', root).pathname,
    'serve',
    '--port',
    '0',
    '--log-level',
    'error',
    ...['--max-queue', '64'],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const url = await new Promise((resolve) => child.stdout.once('data', (text) => resolve(String(text).trim())));
const agent = new Agent({ keepAlive: true });
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function post() {
  return new Promise((resolve) => {
    const began = performance.now();
    const headers = { 'content-type': 'image/jpeg' };
    const asked = request(`${url}v1/score`, { method: 'POST', agent, headers }, (reply) => {
      reply.on('end', () => resolve({ status: reply.statusCode, ms: performance.now() - began })).resume();
    });
    asked.on('error', (error) => resolve({ status: error.code, ms: performance.now() - began }));
    asked.end(picture);
  });
}

/** Of the service and the process of its engines. */
function residentBytes() {
  const pids = readdirSync(`/proc/${child.pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${child.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean),
  );
  return [String(child.pid), ...pids].reduce((sum, pid) => {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return sum + 1024 * Number(kilobytes ?? 0);
  }, 0);
}

for (let count = 0; count < 4; count++) await post();
const alone = [];
for (let count = 0; count < 8; count++) alone.push((await post()).ms);
const usualMs = alone.reduce((sum, ms) => sum + ms, 0) / alone.length;
const before = residentBytes();

const statuses = {};
let most = 0;
const open = new Set();
const end = performance.now() + 1000 * Number(values.seconds);
const pauseMs = usualMs / Number(values.times);
for (let next = performance.now(); performance.now() < end; next += pauseMs) {
  const answer = post().then(({ status }) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    open.delete(answer);
  });
  open.add(answer);
  most = Math.max(most, residentBytes());
  await wait(Math.max(0, next - performance.now()));
}
const over = performance.now();
let recoveryMs;
while (recoveryMs === undefined) {
  const { status, ms } = await post();
  if (status === 200 && ms < 2 * usualMs) recoveryMs = performance.now() - over;
  else await wait(50);
}
await Promise.all(open);
const ended = new Promise((resolve) => child.once('exit', resolve));
child.kill('SIGTERM');
await ended;
agent.destroy();
console.log(
  `answers ${JSON.stringify(statuses)}, memory ${before} -> at most ${most} bytes, recovered after ${recoveryMs.toFixed(0)} ms`,
);
console.log(JSON.stringify({ ...values, usualMs, statuses, residentBytes: [before, most], recoveryMs }));

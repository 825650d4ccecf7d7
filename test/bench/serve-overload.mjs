// Ten times what the service can do: node test/bench/serve-overload.mjs [--seconds 60] [--times 10] [--queue-ms 4000]
// Sends pictures at a fixed rate whatever comes back, and tells the answers by status, the most memory that the service's processes
// held, and how long after the end it took until a picture was answered, and until one was within twice the time that it took before. Needs
// npm run build:ts and the addon. The last line is JSON.
import { Agent } from 'node:http';
import { parseArgs } from 'node:util';
import { post, residentBytes, startService, stopService, wait } from './served.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    times: { type: 'string', default: '10' },
    'queue-ms': { type: 'string', default: '4000' },
  },
});
const service = await startService('--max-queue-ms', values['queue-ms']);
const agent = new Agent({ keepAlive: true });
const send = () => post(service.url, { agent });

for (let count = 0; count < 4; count++) await send();
const alone = [];
for (let count = 0; count < 8; count++) alone.push((await send()).ms);
const usualMs = alone.reduce((sum, ms) => sum + ms, 0) / alone.length;
const before = residentBytes(service);

const statuses = {};
let most = 0;
const open = new Set();
const end = performance.now() + 1000 * Number(values.seconds);
const pauseMs = usualMs / Number(values.times);
for (let next = performance.now(); performance.now() < end; next += pauseMs) {
  const answer = send().then(({ status }) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
    open.delete(answer);
  });
  open.add(answer);
  most = Math.max(most, residentBytes(service));
  await wait(Math.max(0, next - performance.now()));
}
const over = performance.now();
let recoveryMs;
let answeredMs;
while (recoveryMs === undefined) {
  const { status, ms } = await send();
  if (status === 200) answeredMs ??= performance.now() - over;
  if (status === 200 && ms < 2 * usualMs) recoveryMs = performance.now() - over;
  else await wait(50);
}
await Promise.all(open);
await stopService(service);
agent.destroy();
console.log(
  `answers ${JSON.stringify(statuses)}, memory ${before} -> at most ${most} bytes, answered again after ${answeredMs.toFixed(0)} ms, as before after ${recoveryMs.toFixed(0)} ms`,
);
console.log(
  JSON.stringify({ ...values, usualMs, statuses, residentBytes: [before, most], answeredMs, recoveryMs }),
);

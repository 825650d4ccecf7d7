// Load on the service: node test/bench/serve.mjs [--connections 32] [--pictures 96] [--rounds 5] [--page | --form]
// Pictures/s of the library alone (32 calls at once) and through the service, in turns in the same run; what a picture costs each in
// processor time; the delay of the service's event loop while it scores. --page sends what the page sends, maps included; --form
// the same as a form. Needs npm run build:ts and the addon. Pictures/s need a machine that does nothing else; times of the
// processor tell on a busy one too. The last line is JSON.
import { Agent } from 'node:http';
import { parseArgs } from 'node:util';
import { loadEngine } from '../../dist/index.js';
import { childrenOf, cpuMs, figure, picture, post, startService, stopService } from './served.mjs';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '32' },
    pictures: { type: 'string', default: '96' },
    rounds: { type: 'string', default: '5' },
    page: { type: 'boolean', default: false },
    form: { type: 'boolean', default: false },
  },
});
const connections = Number(values.connections);
const pictures = Number(values.pictures);
const rounds = Number(values.rounds);
const withMaps = values.page || values.form;

/** Calls `one` so many times, from so many loops at once. Both that are compared begin and end with small passes alike. */
async function rate(one, spent) {
  const cpuBefore = spent();
  const began = performance.now();
  let left = pictures;
  const loop = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: connections }, loop));
  const perSecond = (1000 * pictures) / (performance.now() - began);
  return { perSecond, cpu: spent().map((ms, at) => (ms - cpuBefore[at]) / pictures) };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const rounded = (list) => list.map((value) => Math.round(100 * value) / 100);

const engine = await loadEngine();
const service = await startService();
const [engines] = childrenOf(service.child.pid);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const own = () => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;
const statuses = {};
const asked = { agent, query: withMaps ? '?map=true&regions=true&mapType=uint8' : '' };
if (values.form) {
  const form = new FormData();
  form.append('picture', new Blob([picture]), 'part.jpg');
  const sent = new Response(form);
  asked.body = Buffer.from(await sent.arrayBuffer());
  asked.headers = { 'content-type': sent.headers.get('content-type') };
}
const works = {
  library: {
    one: () => engine.score(picture, withMaps ? { map: true, regions: true } : {}),
    spent: () => [own()],
  },
  service: {
    one: async () => {
      const { status } = await post(service.url, asked);
      statuses[status] = (statuses[status] ?? 0) + 1;
    },
    spent: () => [cpuMs(engines), cpuMs(service.child.pid), own()],
  },
};
for (const { one } of Object.values(works)) await Promise.all(Array.from({ length: 8 }, one));
const found = { library: [], service: [] };
for (let round = 0; round < rounds; round++)
  for (const name of round % 2 === 0 ? ['library', 'service'] : ['service', 'library']) {
    const { perSecond, cpu } = await rate(works[name].one, works[name].spent);
    found[name].push({ perSecond, cpu });
    console.error(`${name} ${perSecond.toFixed(2)} pictures/s; ms of a picture: ${rounded(cpu)}`);
  }
const loopDelayP99Ms = 1000 * (await figure(service.url, 'nodejs_eventloop_lag_p99_seconds'));
await stopService(service);
agent.destroy();
await engine.dispose();

const perSecond = (name) => found[name].map((round) => round.perSecond);
const cpu = (name) =>
  rounded(found[name][0].cpu.map((_, at) => median(found[name].map((round) => round.cpu[at]))));
const share = median(perSecond('service')) / median(perSecond('library'));
const [engineMs, serviceMs, clientMs] = cpu('service');
console.log(
  `library ${rounded(perSecond('library'))}, service ${rounded(perSecond('service'))} pictures/s: ${(100 * share).toFixed(1)} % of the medians`,
);
console.log(
  `processor time of a picture: library ${cpu('library')} ms; engines ${engineMs}, service ${serviceMs}, client ${clientMs} ms`,
);
console.log(
  JSON.stringify({
    ...values,
    share,
    loopDelayP99Ms,
    statuses,
    library: rounded(perSecond('library')),
    service: rounded(perSecond('service')),
    cpuMs: { library: cpu('library')[0], engines: engineMs, service: serviceMs, client: clientMs },
  }),
);

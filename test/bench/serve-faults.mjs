// What goes wrong around the service: node test/bench/serve-faults.mjs [drain uploads abort hostile tokens] [--rounds 100] [--size 252] [--uploads 1000]
// [--asked 5000]
//   drain    told to end with 32 pictures at work, over and over: each is answered once or refused; none is lost, none answered twice
//   uploads  given up in the middle: what is held afterwards, and the memory
//   abort    of the engine with 8 pictures at work: the answers, and the milliseconds until it is ready again
//   hostile  bodies of 1 GB, endless ones, 10,000 parts, pictures of 900 million pixels, heads that drip: how they are refused, and
//            the memory
//   tokens   right ones, wrong ones, and wrong ones that begin as a right one does, in turns: microseconds until the answer
// Needs npm run build:ts and the addon. The last line of each is JSON.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crc32, deflateSync } from 'node:zlib';
import {
  childrenOf,
  figure,
  picture,
  post,
  residentBytes,
  startService,
  stopService,
  until,
} from './served.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '100' },
    // Smaller pictures than the model's, so that a hundred rounds take minutes.
    size: { type: 'string', default: '252' },
    uploads: { type: 'string', default: '1000' },
    asked: { type: 'string', default: '5000' },
  },
});
const count = (list) => {
  const sums = {};
  for (const one of list) sums[one] = (sums[one] ?? 0) + 1;
  return sums;
};
const tell = (what, facts) => console.log(JSON.stringify({ what, ...facts }));

/** Speaks HTTP by hand. @returns the status line and the bytes that were taken until the connection ended */
function speak(url, chunks, { isGivenUp = false } = {}) {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    let got = '';
    const end = () =>
      resolve({ status: got.split('\r\n')[0].split(' ')[1] ?? 'closed', sent: socket.bytesWritten });
    socket.on('data', (chunk) => {
      got += chunk;
    });
    socket.on('close', end);
    socket.on('error', () => {});
    socket.on('connect', async () => {
      for await (const chunk of chunks) {
        if (socket.destroyed || socket.writableEnded) break;
        if (!socket.write(chunk)) await free(socket);
      }
      if (isGivenUp) socket.destroy();
    });
  });
}
/** Until more is taken, or nothing any more. */
function free(socket) {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
const headOf = (more, type = 'image/png') =>
  `POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\n${more}\r\n\r\n`;

async function drain() {
  const totals = { answered: 0, refused: 0, lost: 0, twice: 0, exits: {} };
  for (let round = 0; round < Number(values.rounds); round++) {
    const service = await startService('--drain-ms', '60000', '--size', values.size);
    const agent = new Agent({ keepAlive: false });
    const works = Array.from({ length: 32 }, () => post(service.url, { agent }));
    await until(async () => (await figure(service.url, 'crane_in_flight_pictures')) >= 24);
    const exit = await stopService(service);
    for (const { status, answers } of await Promise.all(works)) {
      if (answers > 1) totals.twice++;
      if (status === 200) totals.answered++;
      // Before anything was taken: the client knows that it may send it to another.
      else if (status === 503 || status === 'ECONNREFUSED') totals.refused++;
      else totals.lost++;
    }
    totals.exits[exit] = (totals.exits[exit] ?? 0) + 1;
    console.error(`round ${round + 1}: ${JSON.stringify(totals)}`);
  }
  tell('drain', { rounds: Number(values.rounds), ...totals });
}

async function uploads() {
  const service = await startService();
  await post(service.url);
  const before = residentBytes(service);
  const many = Number(values.uploads);
  for (let at = 0; at < many; at += 50) {
    const parts = Array.from({ length: 50 }, (_, one) => [
      headOf(`Content-Length: ${picture.length}`),
      picture.subarray(0, Math.floor((picture.length * (at + one)) / many)),
    ]);
    await Promise.all(parts.map((chunks) => speak(service.url, chunks, { isGivenUp: true })));
  }
  await until(async () => (await figure(service.url, 'crane_in_flight_pictures')) === 0);
  const held = await figure(service.url, 'crane_held_bytes');
  const { status } = await post(service.url);
  tell('uploads', {
    uploads: many,
    heldBytes: held,
    afterwards: status,
    residentBytes: [before, residentBytes(service)],
  });
  await stopService(service);
}

async function abort() {
  const service = await startService();
  await post(service.url);
  const works = Array.from({ length: 8 }, () => post(service.url));
  await until(async () => (await figure(service.url, 'crane_in_flight_pictures')) === 8);
  const at = performance.now();
  for (const pid of childrenOf(service.child.pid)) process.kill(pid, 'SIGABRT');
  const answers = count((await Promise.all(works)).map(({ status }) => status));
  await until(async () => (await fetch(`${service.url}readyz`)).status === 200);
  const readyMs = Math.round(performance.now() - at);
  const { status } = await post(service.url);
  tell('abort', { answers, readyMs, afterwards: status });
  await stopService(service);
}

/** A PNG that says of itself that it has so many pixels; its data is one row of zeros. */
function bomb(side) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(Buffer.alloc(3 * side + 1));
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function* endless() {
  yield headOf('Transfer-Encoding: chunked');
  const data = Buffer.alloc(65_536, 1);
  for (;;) yield Buffer.concat([Buffer.from('10000\r\n'), data, Buffer.from('\r\n')]);
}

async function hostile() {
  const service = await startService('--request-timeout-ms', '5000');
  const { url } = service;
  await post(url);
  const before = residentBytes(service);
  const timed = async (work) => {
    const began = performance.now();
    const { status, sent } = await work;
    return {
      status: String(status),
      ...(sent === undefined ? {} : { sent }),
      ms: Math.round(performance.now() - began),
    };
  };
  const part = (at) => `--b\r\nContent-Disposition: form-data; name="p"; filename="${at}"\r\n\r\nx\r\n`;
  const form = Buffer.from(`${Array.from({ length: 10_000 }, (_, at) => part(at)).join('')}--b--\r\n`);
  const found = {
    gigabyte: await timed(speak(url, [headOf(`Content-Length: ${2 ** 30}`)])),
    endless: await timed(speak(url, endless())),
    parts: await timed(
      post(url, { body: form, headers: { 'content-type': 'multipart/form-data; boundary=b' } }),
    ),
    pixels: await timed(post(url, { body: bomb(30_000), headers: { 'content-type': 'image/png' } })),
    type: await timed(post(url, { headers: { 'content-type': 'application/zip' } })),
  };
  const drips = Promise.all(
    Array.from({ length: 200 }, () => speak(url, ['POST /v1/score HTTP/1.1\r\nHost: 127.0.0.1\r\nX-'])),
  );
  const beside = await timed(post(url));
  const dripped = count((await drips).map(({ status }) => status));
  tell('hostile', { ...found, drips: dripped, beside, residentBytes: [before, residentBytes(service)] });
  await stopService(service);
}

/** An address that is not there: both a right and a wrong token get a refusal of the same length of code. */
function askWith(url, agent, token) {
  return new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    const headers = { authorization: `Bearer ${token}` };
    const asked = request(`${url}nowhere`, { agent, headers }, (reply) => {
      const us = Number(process.hrtime.bigint() - began) / 1000;
      reply.on('end', () => resolve({ us, status: reply.statusCode }));
      reply.resume();
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function tokens() {
  const folder = mkdtempSync(join(tmpdir(), 'crane-tokens-'));
  const known = Array.from({ length: 50 }, () => randomBytes(32).toString('hex'));
  writeFileSync(join(folder, 'tokens'), known.join('\n'));
  const service = await startService('--token-file', join(folder, 'tokens'));
  const first = known[0];
  const wrongLast = first.slice(0, -1) + (first.endsWith('0') ? '1' : '0');
  const kinds = {
    'right, of the first line': () => first,
    'right, of the last line': () => known.at(-1),
    'wrong in its last sign': () => wrongLast,
    'wrong in its second half': () => first.slice(0, 32) + randomBytes(16).toString('hex'),
    'wrong from its first sign': () => randomBytes(32).toString('hex'),
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const found = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, { us: [], status: new Set() }]));
  const rounds = Number(values.asked);
  // The first tenth warms up.
  for (let round = -rounds / 10; round < rounds; round++) {
    const order = Object.keys(kinds).sort(() => Math.random() - 0.5);
    for (const kind of order) {
      const { us, status } = await askWith(service.url, agent, kinds[kind]());
      if (round < 0) continue;
      found[kind].us.push(us);
      found[kind].status.add(status);
    }
  }
  agent.destroy();
  await stopService(service);
  rmSync(folder, { recursive: true });
  const told = Object.entries(found).map(([kind, { us, status }]) => {
    us.sort((a, b) => a - b);
    const at = (share) => Math.round(10 * us[Math.floor(share * us.length)]) / 10;
    return [kind, { status: [...status], quarters: [at(0.25), at(0.5), at(0.75)] }];
  });
  tell('tokens', { asked: rounds, us: Object.fromEntries(told) });
}

const all = { drain, uploads, abort, hostile, tokens };
for (const name of positionals.length > 0 ? positionals : Object.keys(all)) {
  if (!Object.hasOwn(all, name)) throw new Error(`there is no ${name}: ${Object.keys(all).join(', ')}`);
  await all[name]();
}

// The built service as a process of its own, for the programs beside: start it, post pictures, read its figures and memory.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';

const root = new URL('../../', import.meta.url);
export const picture = readFileSync(new URL('models/crane-mini/samples/bsdata-pitting-p00.jpg', root));

/** @returns { url, child, ended } once it listens */
export function startService(...args) {
  return startServiceIn({}, ...args);
}

/** As startService, with words for node before the program and variables of its own. */
export async function startServiceIn({ nodeArgs = [], env = {} }, ...args) {
  const program = new URL('dist/cli/main.js', root).pathname;
  const options = ['--port', '0', '--log-level', 'error', ...args];
  const child = spawn(process.execPath, [...nodeArgs, program, 'serve', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(String(text).trim()));
    void ended.then((code) => reject(new Error(`the service ended with ${code}`)));
  });
  return { url, child, ended };
}

export async function stopService({ child, ended }) {
  child.kill('SIGTERM');
  return ended;
}

/** Never rejects: { status, ms, answers }, status a number or the code of what broke the connection. */
export function post(url, { agent, body = picture, headers = {}, query = '' } = {}) {
  return new Promise((resolve) => {
    const began = performance.now();
    let answers = 0;
    const done = (status) => resolve({ status, ms: performance.now() - began, answers });
    const all = { 'content-type': 'image/jpeg', ...headers };
    const asked = request(`${url}v1/score${query}`, { method: 'POST', agent, headers: all }, (reply) => {
      answers++;
      reply.on('end', () => done(reply.statusCode));
      reply.on('error', (error) => done(error.code));
      reply.resume();
    });
    asked.on('error', (error) => done(error.code ?? 'error'));
    asked.end(body);
  });
}

export async function figure(url, name) {
  const text = await (await fetch(`${url}metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
}

/** Process ids of what the service started. */
export function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
}

/** Processor time that a process has used: fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Of the service and the process of its engines. */
export function residentBytes({ child }) {
  return [child.pid, ...childrenOf(child.pid)].reduce((sum, pid) => {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return sum + 1024 * Number(kilobytes ?? 0);
  }, 0);
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(holds) {
  while (!(await holds())) await wait(10);
}

/** Entry of the process that holds the engines: started by engine-process.ts, which speaks to it through descriptor 3. */
import { Socket } from 'node:net';
import { loadAddon } from '../addon/load-addon.js';
import { serveEngines } from './engine-server.js';

// A terminal's Ctrl-C reaches every process of its group. The service decides when this one ends: by closing the channel.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const channel = new Socket({ fd: 3 });
// The service has gone: there is nobody to answer.
channel.on('error', () => channel.destroy());
await serveEngines({ channel, loadAddon });
process.exit(0);

/** Where results go: a file of JSON Lines, a webhook, an MQTT broker. Each confirms what it has, or is tried again. */
import { createHash, createHmac } from 'node:crypto';
import { open } from 'node:fs/promises';
import { withAny } from '../../cancellation.js';
import { CraneError } from '../../errors.js';
import { appendLine } from '../../files/line-file.js';
import { loadOptional } from '../../files/optional-packages.js';
import { codedWriteError } from '../../files/write-whole.js';
import { shownAddress } from '../../terminal/shown-address.js';
import type { Delivery } from './journal.js';

export interface Receiver {
  /** stands in the journal: the same receiver after a restart */
  name: string;
  /** Resolves once it is confirmed. Rejects with `Refused` where trying again is useless, with anything else where it is not. */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The receiver has it and does not want it: it is told and not sent again. */
export class Refused extends Error {}

const k_timeoutMs = 15_000;

/** @throws CraneError E_IO_WRITE */
export async function jsonLinesReceiver(path: string): Promise<Receiver> {
  try {
    await (await open(path, 'a')).close();
  } catch (thrown) {
    throw codedWriteError(path, thrown, '--deliver');
  }
  return {
    name: 'jsonl',
    // By its name each time: a file that was moved or deleted meanwhile would take lines that nobody finds.
    deliver: (delivery) => appendLine(path, JSON.stringify(delivery)),
    close: async () => {},
  };
}

/** `t=<seconds>,v1=<hex>`: HMAC-SHA256 of `<seconds>.<body>` under the secret, so that an old request cannot be sent anew. */
export function signatureOf(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

interface ReceiverAddress {
  url: URL;
  /** without its password and its query, for the journal and for messages; of each query another one */
  shown: string;
}

/** @throws CraneError E_USAGE */
function addressOf(text: string, schemes: readonly string[]): ReceiverAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.hostname === '' || !schemes.includes(url.protocol.slice(0, -1)))
    throw new CraneError(
      'E_USAGE',
      `${shownAddress(text)}: expected ${schemes.map((scheme) => `${scheme}://HOST`).join(' or ')}`,
    );
  try {
    for (const part of [url.username, url.password]) decodeURIComponent(part);
  } catch (cause) {
    throw new CraneError('E_USAGE', `${shownAddress(text)}: its name or password is not well formed`, {
      hint: 'a % in them is written %25',
      cause,
    });
  }
  return { url, shown: shownAddress(text) + tagOf(url.search) };
}

/** Two receivers may differ by their queries alone, and a query may be a secret. */
function tagOf(query: string): string {
  return query === '' ? '' : `?${createHash('sha256').update(query).digest('hex').slice(0, 12)}`;
}

/** A name and a password in the address are sent as such, since fetch() takes none there. @throws CraneError E_USAGE */
export function webhookReceiver(address: string, secret: string | undefined): Receiver {
  const { url, shown } = addressOf(address, ['http', 'https']);
  const { username, password } = url;
  const login = [username, password].map(decodeURIComponent).join(':');
  url.username = '';
  url.password = '';
  return {
    name: `webhook ${shown}`,
    async deliver(delivery, signal) {
      const body = JSON.stringify(delivery);
      const headers: Record<string, string> = {
        'content-type': 'application/json',
        'crane-key': delivery.key,
      };
      if (login !== ':') headers['authorization'] = `Basic ${Buffer.from(login).toString('base64')}`;
      if (secret !== undefined)
        headers['crane-signature'] = signatureOf(secret, Math.floor(Date.now() / 1000), body);
      const reply = await withAny([signal, AbortSignal.timeout(k_timeoutMs)], async (given) => {
        const answer = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal: given });
        await answer.body?.cancel();
        return answer;
      });
      if (reply.ok) return;
      const isForGood = reply.status >= 400 && reply.status < 500 && ![408, 425, 429].includes(reply.status);
      if (isForGood) throw new Refused(`it answers ${reply.status}`);
      throw new Error(`it answers ${reply.status}`);
    },
    close: async () => {},
  };
}

/** QoS 1: the broker confirms each message. @throws CraneError E_DEPENDENCY, E_USAGE */
export async function mqttReceiver(url: string, topic: string): Promise<Receiver> {
  const { shown } = addressOf(url, ['mqtt', 'mqtts']);
  const { default: mqtt } = await loadOptional('delivering by MQTT', ['mqtt'], () => import('mqtt'));
  const client = mqtt.connect(url, {
    reconnectPeriod: 1000,
    connectTimeout: k_timeoutMs,
    queueQoSZero: false,
  });
  // Told by the delivery that waits for it; the client itself connects again.
  client.on('error', () => {});
  return {
    name: `mqtt ${shown} ${topic}`,
    async deliver(delivery, signal) {
      if (!client.connected) throw new Error('the broker is not connected');
      await withAny([signal, AbortSignal.timeout(k_timeoutMs)], (given) =>
        Promise.race([
          client.publishAsync(topic, JSON.stringify(delivery), { qos: 1 }),
          new Promise((_, reject) => {
            given.addEventListener('abort', () => reject(new Error('the broker did not confirm in time')), {
              once: true,
            });
          }),
        ]),
      );
    },
    close: () => client.endAsync(true),
  };
}

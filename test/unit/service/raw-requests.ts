/** What is sent to a service by hand, and what it still holds of it. */
import { connect } from 'node:net';
import type { FakeService } from './fake-service.js';

/** Pictures and bytes that are held. */
export function held({ service }: FakeService): [number, number] {
  return [service.admission.pictures, service.admission.bytes];
}

/** Asks for scores. */
export async function post(
  { url }: FakeService,
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = { 'content-type': 'image/png' },
) {
  const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit;
  const reply = await fetch(`${url}v1/score`, init);
  const { error } = (await reply.json()) as { error?: { code: string } };
  return { status: reply.status, reply, code: error?.code };
}

/** Speaks HTTP by hand; resolves with what came until the connection ended. */
export function speak({ url }: FakeService, text: string | Buffer, isEnded = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk;
    });
    socket.on('close', () => resolve(got));
    socket.on('error', reject);
    socket.write(text);
    if (isEnded) socket.end();
  });
}

export function headOf(length: number | string, type = 'image/png'): string {
  return `POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
}

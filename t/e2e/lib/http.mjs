// SPDX-License-Identifier: MIT
// HTTP over a unix socket, and the bytes of it where a client would not do.
import http from 'node:http';
import net from 'node:net';
import { connect as tlsConnect } from 'node:tls';

/**
 * Sends a request and gives {status, headers, text, json}. A body that is no
 * string or Buffer is sent as JSON.
 */
export function request(
  target,
  { method = 'GET', path, headers = {}, body, agent },
) {
  const all = { host: 'localhost', ...headers };
  let bytes = null;
  if (body !== undefined) {
    bytes = Buffer.isBuffer(body)
      ? body
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    if (!('transfer-encoding' in all)) all['content-length'] ??= bytes.length;
    if (!('content-type' in all)) all['content-type'] = 'application/json';
  }
  for (const name of Object.keys(all)) if (all[name] === null) delete all[name];

  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      { ...target, method, path, headers: all, agent },
      (incoming) => {
        const chunks = [];
        incoming.on('data', (chunk) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const type = incoming.headers['content-type'] ?? '';
          resolve({
            status: incoming.statusCode,
            headers: incoming.headers,
            type,
            text,
            json:
              /json/.test(type) && text !== '' ? JSON.parse(text) : undefined,
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.setTimeout(30000, () => outgoing.destroy(new Error('no answer')));
    outgoing.end(bytes);
  });
}

/** Sends bytes as they are and gives all that comes until the other end closes. */
export function exchange(target, bytes) {
  return new Promise((resolve, reject) => {
    const socket =
      target.protocol === 'https:'
        ? tlsConnect(target)
        : net.connect(target.socketPath ?? target);
    let text = '';
    socket.setEncoding('latin1');
    socket.setTimeout(30000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

/** Bytes of a response as {status, headers, type, text, json}. */
export function parse(bytes) {
  const [head, ...rest] = bytes.split('\r\n\r\n');
  const [line, ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [
        field.slice(0, colon).toLowerCase(),
        field.slice(colon + 1).trim(),
      ];
    }),
  );
  const text = rest.join('\r\n\r\n');
  return {
    status: Number(line.split(' ')[1]),
    headers,
    type: headers['content-type'] ?? '',
    text,
    json:
      /json/.test(headers['content-type'] ?? '') && text !== ''
        ? JSON.parse(text)
        : undefined,
  };
}

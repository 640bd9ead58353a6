// SPDX-License-Identifier: MIT
// A FastCGI client, for what a web server in front would not let through.
import net from 'node:net';

const BEGIN_REQUEST = 1;
const END_REQUEST = 3;
const PARAMS = 4;
const STDIN = 5;
const STDOUT = 6;

function record(type, content) {
  const bytes = Buffer.from(content);
  const parts = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 65535) {
    const part = bytes.subarray(at, at + 65535);
    const head = Buffer.from([1, type, 0, 1, 0, 0, 0, 0]);
    head.writeUInt16BE(part.length, 4);
    parts.push(head, part);
  }
  return Buffer.concat(parts);
}

function length(size) {
  if (size < 128) return Buffer.from([size]);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((size | 0x80000000) >>> 0);
  return bytes;
}

/** The records of a whole request. */
export function encode(params, body = '', keep = false) {
  const pairs = Object.entries(params).flatMap(([name, value]) => {
    const [n, v] = [Buffer.from(name), Buffer.from(String(value))];
    return [length(n.length), length(v.length), n, v];
  });
  return Buffer.concat([
    record(BEGIN_REQUEST, [0, 1, keep ? 1 : 0, 0, 0, 0, 0, 0]),
    record(PARAMS, Buffer.concat(pairs)),
    ...(pairs.length > 0 ? [record(PARAMS, '')] : []),
    ...(body.length > 0 ? [record(STDIN, body)] : []),
    record(STDIN, ''),
  ]);
}

/** The pairs of a request's PARAMS, as an object. */
function decode(bytes) {
  const params = {};
  let at = 0;
  const size = () => {
    if (bytes[at] < 128) return bytes[at++];
    at += 4;
    return bytes.readUInt32BE(at - 4) & 0x7fffffff;
  };
  const text = (n) => bytes.toString('utf8', at, (at += n));
  while (at < bytes.length) {
    const [name, value] = [size(), size()];
    const key = text(name);
    params[key] = text(value);
  }
  return params;
}

/**
 * A service that answers every request with the variables that it was given,
 * to see what a web server passes on. Closes each connection.
 */
export function listenAsMirror(socketPath) {
  const server = net.createServer((socket) => {
    let buffer = Buffer.alloc(0);
    const params = [];
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 8) {
        const size = buffer.readUInt16BE(4);
        const end = 8 + size + buffer[6];
        if (buffer.length < end) return;
        if (buffer[1] === PARAMS) params.push(buffer.subarray(8, 8 + size));
        if (buffer[1] === STDIN && size === 0) {
          const json = JSON.stringify(decode(Buffer.concat(params)));
          const head = 'Status: 200 OK\r\nContent-Type: application/json\r\n\r\n';
          socket.end(
            Buffer.concat([
              record(STDOUT, head + json),
              record(STDOUT, ''),
              record(END_REQUEST, Buffer.alloc(8)),
            ]),
          );
        }
        buffer = buffer.subarray(end);
      }
    });
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(socketPath, () => resolve(server));
  });
}

/** A CGI response's {status, headers, text, json}. */
export function parseCgi(bytes) {
  const text = bytes.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const headers = Object.fromEntries(
    text
      .slice(0, end)
      .split('\r\n')
      .map((line) => {
        const colon = line.indexOf(':');
        return [
          line.slice(0, colon).toLowerCase(),
          line.slice(colon + 1).trim(),
        ];
      }),
  );
  const body = text.slice(end + 4);
  const type = headers['content-type'] ?? '';
  return {
    status: Number.parseInt(headers.status ?? '200', 10),
    headers,
    type,
    text: body,
    json: /json/.test(type) && body !== '' ? JSON.parse(body) : undefined,
  };
}

/** A connection to a worker, which takes one request after the other. */
export class FcgiConnection {
  static open(socketPath) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(socketPath, () =>
        resolve(new FcgiConnection(socket)),
      );
      socket.once('error', reject);
    });
  }

  constructor(socket) {
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    this.out = [];
    socket.on('data', (chunk) => {
      this.buffer = Buffer.concat([this.buffer, chunk]);
      this.#parse();
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () =>
      this.#fail(new Error('the worker closed the connection')),
    );
  }

  #parse() {
    while (this.buffer.length >= 8) {
      const size = this.buffer.readUInt16BE(4);
      const end = 8 + size + this.buffer[6];
      if (this.buffer.length < end) return;
      const type = this.buffer[1];
      if (type === STDOUT) this.out.push(this.buffer.subarray(8, 8 + size));
      this.buffer = this.buffer.subarray(end);
      if (type === END_REQUEST) {
        const bytes = Buffer.concat(this.out);
        this.out = [];
        this.resolve?.(parseCgi(bytes));
        this.resolve = this.reject = undefined;
      }
    }
  }

  #fail(error) {
    this.reject?.(error);
    this.resolve = this.reject = undefined;
  }

  /** Sends a request and gives its response, as parseCgi does. */
  send(params, body, keep = true) {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.socket.write(encode(params, body, keep));
    });
  }

  close() {
    this.socket.destroy();
  }
}

/** One request on a connection of its own. */
export async function fcgiRequest(socketPath, params, body) {
  const connection = await FcgiConnection.open(socketPath);
  try {
    return await connection.send(params, body, false);
  } finally {
    connection.close();
  }
}

// SPDX-License-Identifier: MIT
// Peers that do not behave, in a thread of their own, so that they do not hold
// up the clients whose time is taken.
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  Worker,
  isMainThread,
  parentPort,
  workerData,
} from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode, parseCgi } from './fcgi.mjs';
import { random } from './seed.mjs';

const [BEGIN, ABORT, PARAMS, STDIN, GET_VALUES] = [1, 2, 4, 5, 9];

/** Runs one of the acts below: {done: its result, peak: connections at once}. */
export function act(name, workerData_) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: { act: name, ...workerData_ },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`${name} gave no result`)));
  });
}

function record(type, content, { id = 1, padding = 0, version = 1 } = {}) {
  const bytes = Buffer.from(content);
  const head = Buffer.from([
    version,
    type,
    id >> 8,
    id & 255,
    bytes.length >> 8,
    bytes.length & 255,
    padding,
    0,
  ]);
  return Buffer.concat([head, bytes, Buffer.alloc(padding, 0xee)]);
}

/** A connection that keeps what it gets, and when it was closed. */
class Peer {
  constructor(socketPath, { reads = true } = {}) {
    this.chunks = [];
    this.opened = performance.now();
    this.socket = net.connect({ path: socketPath, allowHalfOpen: true });
    this.socket.on('error', (error) => {
      this.error = error;
    });
    this.connected = new Promise((resolve) => {
      this.socket.once('connect', resolve);
      this.socket.once('close', resolve);
    });
    this.closed = new Promise((resolve) => {
      const end = () => {
        this.seconds ??= (performance.now() - this.opened) / 1000;
        this.socket.destroy();
        resolve();
      };
      this.socket.once('close', end);
      this.socket.once('end', end);
    });
    if (reads) this.socket.on('data', (chunk) => this.chunks.push(chunk));
    else this.socket.pause();
  }

  /** The answers so far, as parseCgi gives them. */
  answers() {
    const bytes = Buffer.concat(this.chunks);
    const found = [];
    for (let at = 0, out = []; at + 8 <= bytes.length;) {
      const size = bytes.readUInt16BE(at + 4);
      if (bytes[at + 1] === 6) out.push(bytes.subarray(at + 8, at + 8 + size));
      if (bytes[at + 1] === 3) {
        found.push(
          out.length > 0 ? parseCgi(Buffer.concat(out)) : { status: null },
        );
        out = [];
      }
      at += 8 + size + bytes[at + 6];
    }
    return found;
  }

  /** Waits until an answer has arrived, or the connection is closed. */
  async answered(count = 1) {
    while (this.answers().length < count && this.seconds === undefined)
      await sleep(5);
    return this.answers();
  }
}

async function openAll(socketPath, count, each) {
  const peers = [];
  while (peers.length < count) {
    // As many at a time as a queue of connections takes.
    const some = Array.from(
      { length: Math.min(500, count - peers.length) },
      () => new Peer(socketPath),
    );
    await Promise.all(some.map((peer) => peer.connected));
    for (const peer of some) {
      peers.push(peer);
      each?.(peer, peers.length - 1);
    }
  }
  return peers;
}

const pairs = (params) =>
  Buffer.concat(
    Object.entries(params).flatMap(([name, value]) => {
      const length = (text) => {
        const bytes = Buffer.alloc(4); // the long form, which nobody has to use
        bytes.writeUInt32BE((Buffer.byteLength(text) | 0x80000000) >>> 0);
        return bytes;
      };
      return [
        length(name),
        length(String(value)),
        Buffer.from(name),
        Buffer.from(String(value)),
      ];
    }),
  );

/** A request in records of any size with any padding, and others in between. */
function oddly(r, { params, body }) {
  const cut = (type, bytes) => {
    const parts = [];
    for (let at = 0; at < bytes.length;) {
      const size = Math.max(1, Math.floor(r() ** 4 * bytes.length));
      parts.push(
        record(type, bytes.subarray(at, at + size), {
          padding: Math.floor(r() * 256),
        }),
      );
      if (r() < 0.2)
        parts.push(
          record(GET_VALUES, pairs({ FCGI_MPXS_CONNS: '' }), { id: 0 }),
        );
      if (r() < 0.1) parts.push(record(99, 'what', { id: 0, padding: 3 }));
      if (r() < 0.1) parts.push(record(type, bytes.subarray(0, 9), { id: 77 }));
      at += size;
    }
    parts.push(record(type, '', { padding: Math.floor(r() * 256) }));
    return parts;
  };
  return Buffer.concat([
    record(BEGIN, [0, 1, 1, 0, 0, 0, 0, 0], { padding: Math.floor(r() * 256) }),
    ...cut(PARAMS, pairs(params)),
    ...cut(STDIN, Buffer.from(body ?? '')),
  ]);
}

const acts = {
  /** Connections that say nothing for a while. */
  async idle({ socketPath, count, seconds }) {
    const peers = await openAll(socketPath, count);
    const connected = peers.filter((peer) => peer.seconds === undefined).length;
    await sleep(seconds * 1000);
    const kept = peers.filter((peer) => peer.seconds === undefined).length;
    for (const peer of peers) peer.socket.destroy();
    return { connected, kept };
  },

  /** Every beginning of a request, and then silence until the worker hangs up. */
  async half({ socketPath, requests, count }) {
    const all = requests.map(({ params, body }) => encode(params, body, true));
    const peers = await openAll(socketPath, count, (peer, i) => {
      const bytes = all[i % all.length];
      peer.socket.write(
        bytes.subarray(
          0,
          1 + (Math.floor(i / all.length) % (bytes.length - 1)),
        ),
      );
    });
    await Promise.race([
      Promise.all(peers.map((peer) => peer.closed)),
      sleep(20000),
    ]);
    const seconds = peers
      .map((peer) => peer.seconds ?? Infinity)
      .sort((a, b) => a - b);
    const answers = peers
      .filter((peer) => peer.chunks.length > 0)
      .map((peer) => Buffer.concat(peer.chunks).toString('latin1'));
    for (const peer of peers) peer.socket.destroy();
    return {
      first: seconds[0],
      last: seconds.at(-1),
      answered: answers.length,
      late: answers.filter((text) => text.includes('Status: 408 ')).length,
    };
  },

  /** Whole requests, a byte at a time. */
  async bytewise({ socketPath, requests }) {
    return Promise.all(
      requests.map(async ({ params, body }) => {
        const peer = new Peer(socketPath);
        const bytes = encode(params, body, true);
        peer.socket.setNoDelay?.();
        await peer.connected;
        for (
          let at = 0;
          at < bytes.length && peer.seconds === undefined;
          at++
        ) {
          peer.socket.write(bytes.subarray(at, at + 1));
          await new Promise(setImmediate);
        }
        const [answer] = await peer.answered();
        peer.socket.destroy();
        return answer?.status;
      }),
    );
  },

  /** Records of odd sizes, in odd pieces. */
  async odd({ socketPath, requests, seed }) {
    const r = random(seed);
    return Promise.all(
      requests.map(async (request) => {
        const peer = new Peer(socketPath);
        await peer.connected;
        const bytes = oddly(r, request);
        for (let at = 0; at < bytes.length;) {
          const size = 1 + Math.floor(r() ** 3 * bytes.length);
          peer.socket.write(bytes.subarray(at, at + size));
          at += size;
          await new Promise(setImmediate);
        }
        const [answer] = await peer.answered();
        peer.socket.destroy();
        return answer?.status;
      }),
    );
  },

  /** What is no FastCGI, or not what a responder takes. */
  async garbage({ socketPath, count, seed }) {
    const r = random(seed);
    const noise = () =>
      Buffer.from(
        Array.from({ length: 1 + Math.floor(r() * 3000) }, () =>
          Math.floor(r() * 256),
        ),
      );
    const begin = (role = 1, id = 1) =>
      record(BEGIN, [0, role, 1, 0, 0, 0, 0, 0], { id });
    const kinds = [
      noise,
      () =>
        Buffer.concat([
          begin(),
          record(PARAMS, noise()),
          record(PARAMS, ''),
          record(STDIN, ''),
        ]),
      () => Buffer.concat([begin(), record(PARAMS, noise(), { version: 2 })]),
      () => Buffer.concat([begin(1, 0), noise()]),
      () => Buffer.concat([begin(3), record(STDIN, '')]),
      () => Buffer.concat([begin(), begin(1, 2), begin(1, 3), noise()]),
      () => Buffer.concat([record(STDIN, noise()), record(PARAMS, '')]),
      () => Buffer.concat([begin(), record(STDIN, ''), record(STDIN, '')]),
      () => Buffer.from('GET / HTTP/1.1\r\nHost: example\r\n\r\n'),
      // Lengths of parameters that go beyond the record, and beyond 2 GiB.
      () =>
        Buffer.concat([
          begin(),
          record(PARAMS, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 65]),
          record(PARAMS, ''),
          record(STDIN, ''),
        ]),
      () =>
        Buffer.concat([
          begin(),
          ...Array.from({ length: 40 }, () =>
            record(PARAMS, Buffer.alloc(60000, 'x')),
          ),
        ]),
    ];
    const peers = await openAll(socketPath, count, (peer, i) =>
      peer.socket.end(kinds[i % kinds.length]()),
    );
    await Promise.race([
      Promise.all(peers.map((peer) => peer.closed)),
      sleep(20000),
    ]);
    const open = peers.filter((peer) => peer.seconds === undefined).length;
    const served = peers
      .flatMap((peer) => peer.answers())
      .filter(({ status }) => status === 200).length;
    for (const peer of peers) peer.socket.destroy();
    return { open, served };
  },

  /** Clients that are gone, or ask to be forgotten, while their write is under way. */
  async abort({ socketPath, requests, seed }) {
    const r = random(seed);
    for (let at = 0; at < requests.length; at += 100)
      await Promise.all(
        requests.slice(at, at + 100).map(async ({ params, body }, i) => {
          const peer = new Peer(socketPath);
          await peer.connected;
          const bytes = encode(params, body, true);
          if (i % 3 === 0) {
            peer.socket.write(bytes);
            if (r() < 0.5) await sleep(r() * 5);
            peer.socket.destroy();
          } else if (i % 3 === 1) {
            peer.socket.write(Buffer.concat([bytes, record(ABORT, '')]));
            await peer.answered();
            peer.socket.destroy();
          } else {
            // Before the last byte: this one must not be stored.
            peer.socket.write(
              Buffer.concat([bytes.subarray(0, -8), record(ABORT, '')]),
            );
            await peer.answered();
            peer.socket.destroy();
          }
        }),
      );
    return true;
  },

  /** Request upon request, and the answers are never read. */
  async greedy({ socketPath, requests, count, seconds }) {
    const peers = Array.from(
      { length: count },
      () => new Peer(socketPath, { reads: false }),
    );
    const bytes = Buffer.concat(
      requests.map(({ params, body }) => encode(params, body, true)),
    );
    const management = Buffer.concat(
      Array.from({ length: 5000 }, () =>
        record(GET_VALUES, pairs({ FCGI_MAX_CONNS: '', FCGI_MAX_REQS: '' }), {
          id: 0,
        }),
      ),
    );
    for (const [i, peer] of peers.entries())
      for (let n = 0; n < 20; n++)
        peer.socket.write(i % 2 === 0 ? bytes : management);
    await sleep(seconds * 1000);
    // What was closed shows only to who writes or reads.
    for (const peer of peers) peer.socket.resume();
    await Promise.race([
      Promise.all(peers.map((peer) => peer.closed)),
      sleep(20000),
    ]);
    const open = peers.filter((peer) => peer.seconds === undefined).length;
    for (const peer of peers) peer.socket.destroy();
    return { open };
  },

  /** Bodies far beyond the limit. */
  async huge({ socketPath, request, megabytes, count }) {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const peer = new Peer(socketPath);
        await peer.connected;
        const bytes = encode(request.params, '', true);
        peer.socket.write(bytes.subarray(0, -8));
        const part = record(STDIN, Buffer.alloc(65535, ' '));
        for (let n = 0; n < megabytes * 16; n++)
          if (!peer.socket.write(part))
            await new Promise((resolve) => {
              peer.socket.once('drain', resolve);
              peer.socket.once('close', resolve);
            });
        peer.socket.write(record(STDIN, ''));
        const [answer] = await peer.answered();
        peer.socket.destroy();
        return answer?.status;
      }),
    );
  },
};

if (!isMainThread && workerData?.act)
  parentPort.postMessage(await acts[workerData.act](workerData));

// SPDX-License-Identifier: MIT
// Many HTTP clients that send one request after the other, in threads of their
// own: a loop with more than a thousand busy sockets starves its timers.
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { request } from './http.mjs';

const THREADS = 3;
const [IN_FLIGHT, SERVED, STOP, FAILED] = [0, 1, 2, 3];

/** A load of clients: {token, writes} each, on path. */
export class Clients {
  constructor(target, path, clients) {
    this.counts = new Int32Array(new SharedArrayBuffer(16));
    this.failures = []; // up to a few by each thread: "status body", or an error
    this.done = Promise.all(
      Array.from(
        { length: THREADS },
        (_, i) =>
          new Promise((resolve) => {
            const worker = new Worker(fileURLToPath(import.meta.url), {
              workerData: {
                target,
                path,
                counts: this.counts,
                clients: clients.filter((_c, n) => n % THREADS === i),
              },
            });
            worker.on('message', (failure) => this.failures.push(failure));
            worker.on('error', (error) => this.failures.push(String(error)));
            worker.on('exit', resolve);
          }),
      ),
    );
  }

  get inFlight() {
    return Atomics.load(this.counts, IN_FLIGHT);
  }

  get served() {
    return Atomics.load(this.counts, SERVED);
  }

  /** Requests that had another status than 200, or none. */
  get failed() {
    return Atomics.load(this.counts, FAILED);
  }

  /** Lets each client finish its request. */
  async stop() {
    Atomics.store(this.counts, STOP, 1);
    await this.done;
  }
}

async function run({ target, path, counts, clients }) {
  const { parentPort } = await import('node:worker_threads');
  const agent = new http.Agent({
    keepAlive: true,
    maxSockets: Infinity,
    maxFreeSockets: Infinity,
  });
  let told = 0;
  const fail = (what) => {
    Atomics.add(counts, FAILED, 1);
    if (told++ < 5) parentPort.postMessage(what);
  };
  await Promise.all(
    clients.map(async ({ token, writes }) => {
      const headers = { authorization: `Bearer ${token}` };
      for (let n = 1; !Atomics.load(counts, STOP); n++) {
        Atomics.add(counts, IN_FLIGHT, 1);
        try {
          const answer = await request(target, {
            path,
            agent,
            headers,
            ...(writes ? { method: 'POST', body: { value: n } } : {}),
          });
          const expected = writes ? n : 0;
          if (answer.status !== 200 || answer.json.value !== expected)
            fail(`${writes ? 'POST' : 'GET'} ${answer.status} ${answer.text}`);
        } catch (error) {
          fail(String(error));
        }
        Atomics.sub(counts, IN_FLIGHT, 1);
        Atomics.add(counts, SERVED, 1);
      }
    }),
  );
  agent.destroy();
}

if (!isMainThread && workerData?.counts) await run(workerData);

// SPDX-License-Identifier: MIT
// What it costs to ask for the metrics of sixteen workers: of a worker, and
// through nginx; while nothing else happens, and under load.
import { performance } from 'node:perf_hooks';
import { FcgiConnection } from '../../e2e/lib/fcgi.mjs';
import { request } from '../../e2e/lib/http.mjs';
import { median, number } from '../lib/figures.mjs';
import { PATH, Stand } from '../lib/stand.mjs';
import { wrk } from '../lib/wrk.mjs';

export const title = '/metrics with 16 workers';

const COUNT = 200;
const PARAMS = { GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', PATH_INFO: '/metrics', ORDERCONF_OPERATOR: 1 };

/** The ms of each of COUNT answers that ask gives. */
async function time(ask) {
  const times = [];
  for (let i = 0; i < COUNT; i++) {
    const started = performance.now();
    const answer = await ask();
    times.push(performance.now() - started);
    if (answer.status !== 200) throw new Error(`/metrics: ${answer.status}`);
  }
  return times.sort((a, b) => a - b);
}

const row = (name, times) =>
  [name, number(median(times)), number(times[Math.floor(times.length * 0.99)]), '5'];

export async function run({ seconds }) {
  const stand = await Stand.start({ options: { workers: 16 } });
  const connection = await FcgiConnection.open(stand.fcgiSocket);
  const worker = () => time(() => connection.send(PARAMS));
  const nginx = () =>
    time(() => request({ host: '127.0.0.1', port: stand.port }, { path: '/metrics' }));
  try {
    stand.setUpTenants(['t1']);
    const tokens = stand.writeTokens(['t1']);
    const load = () => wrk(stand.url + PATH, { clients: 16, seconds, tokens });
    await load(); // every worker has something to tell
    const results = { worker: await worker(), nginx: await nginx() };
    const loading = load();
    results.loaded = await worker();
    await loading;
    return {
      results,
      rows: [
        ['/metrics', 'median ms', 'p99 ms', 'to reach'],
        row('of a worker', results.worker),
        row('through nginx, a connection each', results.nginx),
        row('of a worker, while 16 clients read', results.loaded),
      ],
    };
  } finally {
    connection.close();
    await stand.kill();
  }
}

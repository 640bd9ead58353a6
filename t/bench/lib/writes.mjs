// SPDX-License-Identifier: MIT
// POSTs by the service, by the same service without its committer, and by
// others, in turns.
import { number, takeTurns } from './figures.mjs';
import { startEtcd, startExpress } from './rivals.mjs';
import { BODY, KEY, PATH, Stand, tool } from './stand.mjs';
import { wrk } from './wrk.mjs';

/** More than clients, so that two of them hardly ever write the same. */
export const TENANTS = Array.from({ length: 1000 }, (_, i) => `t${i + 1}`);

const etcdBody = JSON.stringify({
  key: Buffer.from(`config/${KEY}`).toString('base64'),
  value: Buffer.from(BODY).toString('base64'),
});

/** {name: {url, tokens}}, and what to stop at the end. */
async function startAll({ env, etcd, say }) {
  const stands = {
    inline: await Stand.start({ program: tool('orderconf_inline.fcgi'), env }),
    orderconf: await Stand.start({ env }),
  };
  const targets = {};
  for (const [name, stand] of Object.entries(stands))
    targets[name] = { url: stand.url + PATH, tokens: stand.writeTokens(TENANTS) };
  const { dir, keys } = stands.orderconf;
  const rivals = [];
  if (etcd) {
    const started = await startEtcd(dir, say);
    if (started) targets.etcd = { url: started.url, body: etcdBody };
    rivals.push(started);
  }
  const express = await startExpress(dir, keys, say, env);
  if (express)
    targets.express = { url: `${express.url}/config/sales_order/${KEY}`,
      tokens: targets.orderconf.tokens };
  rivals.push(express);
  const stop = async () => {
    for (const rival of rivals) await rival?.program.stop('SIGTERM').catch(() => {});
    for (const stand of Object.values(stands)) await stand.kill();
  };
  return { targets, stop };
}

/** {clients: {program: figures}}; orderconf against the others in turns. */
export async function measureWrites({ rounds, seconds, say, clients, env = {}, etcd = false }) {
  const { targets, stop } = await startAll({ env, etcd, say });
  try {
    const results = {};
    const load = (target, count, time) => wrk(target.url, { clients: count, seconds: time,
      method: 'POST', body: BODY, mayFail: 0.02, ...target });
    for (const target of Object.values(targets)) await load(target, 16, 1);
    for (const count of clients)
      results[count] = await takeTurns(rounds, Object.fromEntries(
        Object.entries(targets).map(([name, target]) => [name, () => load(target, count, seconds)])));
    return results;
  } finally {
    await stop();
  }
}

export function writeRows(results) {
  const rows = [['clients', 'program', 'POST/s', 'of inline', 'p50 ms', 'p50 of inline', 'p99 ms']];
  for (const [clients, programs] of Object.entries(results))
    for (const [name, r] of Object.entries(programs))
      rows.push([clients, name, number(r.rate), number(r.rate / programs.inline.rate),
        number(r.p50), number(r.p50 / programs.inline.p50), number(r.p99)]);
  return rows;
}

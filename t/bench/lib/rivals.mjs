// SPDX-License-Identifier: MIT
// Others that store durably: etcd, and a service in Node. Each starts only if
// it is installed; otherwise start gives null.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { find } from '../../e2e/lib/paths.mjs';
import { Program, until } from '../../e2e/lib/process.mjs';
import { freePort } from './stand.mjs';

async function answers(url) {
  try {
    await fetch(url);
    return true;
  } catch {
    return false;
  }
}

export async function startEtcd(dir, say) {
  const etcd = find('etcd');
  if (etcd === null) {
    say('etcd: skipped, etcd-server is not installed');
    return null;
  }
  const url = `http://127.0.0.1:${await freePort()}`;
  const peer = `http://127.0.0.1:${await freePort()}`;
  const program = new Program(etcd, ['--data-dir', join(dir, 'etcd'), '--name', 'bench',
    '--listen-client-urls', url, '--advertise-client-urls', url,
    '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer,
    '--initial-cluster', `bench=${peer}`, '--log-level', 'error'],
  { log: join(dir, 'etcd.log') });
  await until('etcd answers', () => answers(`${url}/health`));
  return { program, url: `${url}/v3/kv/put` };
}

/** keys: the directory of key sets; env: what changes its disk. */
export async function startExpress(dir, keys, say, env = {}) {
  const server = fileURLToPath(new URL('../express/server.mjs', import.meta.url));
  if (!existsSync(join(server, '../node_modules'))) {
    say('express: skipped, npm ci was not run in t/bench/express');
    return null;
  }
  const port = await freePort();
  const program = new Program(process.execPath, [server], {
    log: join(dir, 'express.log'),
    env: { ...env, PORT: String(port), KEYS: keys, DB: join(dir, 'express') },
  });
  const url = `http://127.0.0.1:${port}`;
  await until('express answers', () => answers(url));
  return { program, url };
}

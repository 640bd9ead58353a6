// SPDX-License-Identifier: MIT
// The same POST as one would write it in Node: Express, the published document
// as validator, LMDB. Environment: PORT, KEYS (a directory of key sets), DB.
import cluster from 'node:cluster';
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';

const { PORT, KEYS, DB } = process.env;
const document = JSON.parse(
  readFileSync(new URL('../../data/contract/sales_order.json', import.meta.url), 'utf8'));
const keys = new Map();
const tenants = new Map(); // of verified tokens

function keyOf(tenant) {
  if (!keys.has(tenant)) {
    const [jwk] = JSON.parse(readFileSync(join(KEYS, `${tenant}.json`), 'utf8')).keys;
    keys.set(tenant, crypto.createPublicKey({ key: jwk, format: 'jwk' }));
  }
  return keys.get(tenant);
}

function tenantOf(token) {
  if (tenants.has(token)) return tenants.get(token);
  const [head, claims, signature] = token.split('.');
  const { iss, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  const [, tenant] = /^https:\/\/id\.example\/realms\/([a-z0-9-]+)$/.exec(iss);
  if (exp * 1000 < Date.now() || !crypto.verify('sha256', Buffer.from(`${head}.${claims}`),
    keyOf(tenant), Buffer.from(signature, 'base64url'))) throw new Error('not valid');
  tenants.set(token, tenant);
  return tenant;
}

/** The facts of the document have no prose, which the validator wants. */
function describe() {
  for (const methods of Object.values(document.paths))
    for (const { responses } of Object.values(methods))
      for (const response of Object.values(responses)) response.description ??= '';
  return document;
}

async function serve() {
  const { default: express } = await import('express');
  const { default: validator } = await import('express-openapi-validator');
  const { open } = await import('lmdb');
  const db = open({ path: DB });
  const app = express();

  app.use(express.json({ limit: '64kb' }));
  app.use(validator.middleware({
    apiSpec: describe(),
    validateResponses: false,
    validateSecurity: {
      handlers: {
        bearer: (req) => {
          req.tenant = tenantOf(req.headers.authorization.slice('Bearer '.length));
          return true;
        },
      },
    },
  }));
  app.post('/config/sales_order/:key', async (req, res) => {
    const name = [req.tenant, req.params.key];
    const version = (db.get(name)?.version ?? 0) + 1;
    const stored = { value: req.body.value, updated_at: new Date().toISOString(), version };
    await db.put(name, stored);
    await db.flushed;
    res.set('ETag', `"${version}"`).json({ value: stored.value, updated_at: stored.updated_at });
  });
  app.use((error, _req, res, _next) => {
    res.status(error.status ?? 500).json({ message: error.message });
  });
  app.listen(Number(PORT), '127.0.0.1');
}

if (cluster.isPrimary) {
  for (let i = 0; i < os.cpus().length; i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
    process.exit(0);
  });
} else {
  await serve();
}

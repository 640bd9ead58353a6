// SPDX-License-Identifier: MIT
// Many tokens. Signing them takes most of a minute, so they are kept in the
// build directory, with their key, for the next run.
import crypto from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builddir } from '../../e2e/lib/paths.mjs';
import { claimsOf, encode, makeKey } from '../../e2e/lib/token.mjs';
import { TTL } from './stand.mjs';

const sign = promisify(crypto.sign);

async function token({ alg, kid, privateKey }, tenant, i) {
  const exp = Math.floor(Date.now() / 1000) + TTL;
  const text = `${encode({ alg, kid, typ: 'JWT' })}.${encode(claimsOf(tenant, { exp, jti: String(i) }))}`;
  const key = alg.startsWith('ES') ? { key: privateKey, dsaEncoding: 'ieee-p1363' } : privateKey;
  return `${text}.${(await sign('sha256', Buffer.from(text), key)).toString('base64url')}`;
}

async function mint(key, count, tenants, path) {
  const tokens = [];
  while (tokens.length < count) {
    const batch = Array.from({ length: Math.min(256, count - tokens.length) },
      (_, k) => token(key, tenants[(tokens.length + k) % tenants.length], tokens.length + k));
    tokens.push(...await Promise.all(batch));
  }
  writeFileSync(path, tokens.join('\n'));
}

/** {key, path} of a file of count tokens for tenants in turn. */
export async function manyTokens(alg, count, tenants) {
  const path = join(builddir, `bench-tokens-${alg}-${count}`);
  const keyPath = `${path}.json`;
  const isFresh = existsSync(keyPath) &&
    Date.now() - statSync(keyPath).mtimeMs < (TTL - 86400) * 1000;
  if (isFresh) {
    const { privateJwk, jwk } = JSON.parse(readFileSync(keyPath, 'utf8'));
    const privateKey = crypto.createPrivateKey({ key: privateJwk, format: 'jwk' });
    return { key: { alg, kid: jwk.kid, jwk, privateKey }, path };
  }
  const key = makeKey(alg, 'k1');
  await mint(key, count, tenants, path);
  writeFileSync(keyPath, JSON.stringify({
    jwk: key.jwk, privateJwk: key.privateKey.export({ format: 'jwk' }) }), { mode: 0o600 });
  return { key, path };
}

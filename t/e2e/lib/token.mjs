// SPDX-License-Identifier: MIT
// Keys and tokens, right ones and forged ones, without the service's own code.
import crypto from 'node:crypto';

export const ISSUER = 'https://id.example/realms/{tenant}';

export const encode = (part) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString(
    'base64url',
  );

/** {kid, privateKey, jwk}; jwk is what belongs into the key set. */
export function makeKey(alg, kid) {
  const { privateKey, publicKey } = alg.startsWith('ES')
    ? crypto.generateKeyPairSync('ec', {
        namedCurve: { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[alg],
      })
    : crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
  return { alg, kid, privateKey, publicKey, jwk };
}

/** The signature of text as JWS wants it. */
export function signature(alg, privateKey, text) {
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS'))
    return crypto.createHmac(hash, privateKey).update(text).digest();
  return crypto.sign(hash, Buffer.from(text), {
    key: privateKey,
    ...(alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' } : {}),
    ...(alg.startsWith('PS')
      ? {
          padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
          saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST,
        }
      : {}),
  });
}

/** A token of this header and these claims, signed with key. */
export function sign(header, claims, key, alg = header.alg) {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${signature(alg, key, text).toString('base64url')}`;
}

export const now = () => Math.floor(Date.now() / 1000);

export function claimsOf(tenant, more = {}) {
  return {
    iss: ISSUER.replace('{tenant}', tenant),
    sub: 'somebody',
    exp: now() + 3600,
    ...more,
  };
}

/** A token that is good for tenant. */
export function makeToken(key, tenant, claims = {}) {
  return sign(
    { alg: key.alg, kid: key.kid, typ: 'JWT' },
    claimsOf(tenant, claims),
    key.privateKey,
  );
}

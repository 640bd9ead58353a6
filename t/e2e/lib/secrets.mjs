// SPDX-License-Identifier: MIT
// Secret keys, and where a secret must not be found.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const WEBHOOK = 'external_order_webhook';
export const MASK = '********';

/** A webhook's value. */
export const hook = (api_key, url = 'https://a.example/') => ({
  url,
  api_key,
  timeout: 15,
});

/** The key set of these kids; a kid stands for the same key everywhere. */
export const keySet = (...kids) => ({
  keys: kids.map((kid) => ({
    kty: 'oct',
    kid,
    k: createHash('sha256').update(kid).digest('base64url'),
  })),
});

/** Writes a key file; content is a key set, or any text. */
export function writeKeys(path, content, mode = 0o600) {
  writeFileSync(
    path,
    typeof content === 'string' ? content : JSON.stringify(content),
  );
  chmodSync(path, mode);
  return path;
}

/** Fails if one of the texts is in a file of dir, or below it. */
export function assertNowhere(dir, ...texts) {
  let files = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      files += assertNowhere(path, ...texts);
    } else if (entry.isFile()) {
      const bytes = readFileSync(path);
      for (const text of texts)
        assert.ok(!bytes.includes(text), `${path} holds ${text}`);
      files++;
    }
  }
  return files;
}

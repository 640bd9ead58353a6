// SPDX-License-Identifier: MIT
// Entity tags: "VERSION-ID", and "0" of what was never set.
import assert from 'node:assert/strict';

/** The tag of a version that is there. */
export const TAG = /^"([1-9][0-9]*)-[0-9a-f]{16}"$/;

/** That of all keys at once. */
export const LIST_TAG = /^"[0-9a-f]{16}"$/;

/** The version that an answer, or a tag, is of. */
export function versionOf(of) {
  const tag = typeof of === 'string' ? of : of.headers.etag;
  if (tag === '"0"') return 0;
  assert.match(tag ?? '', TAG, `tag ${tag} of: ${of.status} ${of.text}`);
  return Number(TAG.exec(tag)[1]);
}

/** Fails unless the answer's tag is of this version. */
export function assertVersion(answer, version, message) {
  assert.equal(versionOf(answer), version, message);
}

/** Replaces each {N} in a field by the tag that version N of the key has. */
export async function withTags(stack, tenant, key, field) {
  let filled = field;
  for (const [place, version] of field.matchAll(/\{(\d+)\}/g)) {
    const answer = await stack.get(tenant, `${key}?version=${version}`);
    assertVersion(answer, Number(version));
    filled = filled.replace(place, answer.headers.etag);
  }
  return filled;
}

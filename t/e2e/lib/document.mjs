// SPDX-License-Identifier: MIT
// data/openapi.yaml, and whether an answer is what it says.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAjv } from './contract.mjs';
import { load, srcdir } from './paths.mjs';

const { parse } = load('yaml');

export const file = join(srcdir, 'data/openapi.yaml');
export const document = parse(readFileSync(file, 'utf8'));

const ajv = makeAjv();
ajv.addSchema(document, 'doc');

export const resolve = (node) =>
  node.$ref
    ? node.$ref
        .slice(2)
        .split('/')
        .reduce((at, name) => at[name], document)
    : node;

const validators = new Map();

/** What its last call had against a value. */
export const errorsText = (check) => ajv.errorsText(check.errors);

/** A validator of the schema in a media type object, by reference into doc. */
export function validator(schema) {
  const name = JSON.stringify(schema);
  if (!validators.has(name))
    validators.set(
      name,
      ajv.compile(JSON.parse(name.replaceAll('"#/', '"doc#/'))),
    );
  return validators.get(name);
}

export const operations = Object.entries(document.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'servers')
      .map(([method, operation]) => ({
        path,
        key: path.split('/').at(-1),
        method: method.toUpperCase(),
        operation,
      })),
);

/** The config keys, in the order of the document and of an answer. */
export const KEYS = document.components.parameters.Key.schema.enum;

/** The one of these operations at a path of the document. */
export function operationOf(method, path) {
  const found = operations.find((o) => o.path === path && o.method === method);
  assert.ok(found, `no ${method} ${path} in the document`);
  return found;
}

/** Fails unless the document says this of the answer: status, type, headers, body. */
export function assertDescribed({ method, path, operation }, answer) {
  const what = `${method} ${path} ${answer.status}`;
  assert.ok(answer.status in operation.responses, `${what} is not described`);
  const response = resolve(operation.responses[answer.status]);
  for (const [name, header] of Object.entries(response.headers ?? {})) {
    const value = answer.headers[name.toLowerCase()];
    const { required, schema } = resolve(header);
    if (required) assert.ok(value, `${what}: no ${name}`);
    if (value !== undefined && schema.type === 'string')
      assert.ok(validator(schema)(value), `${what}: ${name}: ${value}`);
  }
  // 304 and HEAD have no body to describe.
  if (response.content === undefined) {
    assert.equal(answer.text, '', what);
    return;
  }
  const media = response.content[answer.type];
  assert.ok(media, `${what}: ${answer.type}`);
  const check = validator(media.schema);
  assert.ok(check(answer.json ?? answer.text), `${what}: ${errorsText(check)}`);
}

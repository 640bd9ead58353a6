// SPDX-License-Identifier: MIT
// The two published documents, and whether an answer is what they promise.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load, srcdir } from './paths.mjs';

const Ajv = load('ajv').default;
const addFormats = load('ajv-formats').default;

/** Not strict: OpenAPI 3.0 has keywords of its own, and enums beside types. */
export function makeAjv() {
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  return ajv;
}

const ajv = makeAjv();
const compiled = new Map();

function validate(schema, value, what) {
  if (!compiled.has(schema)) compiled.set(schema, ajv.compile(schema));
  const check = compiled.get(schema);
  assert.ok(
    check(value),
    `${what}: ${ajv.errorsText(check.errors)} in ${JSON.stringify(value)}`,
  );
}

export class Document {
  constructor(name) {
    const path = join(srcdir, 't/data/contract', `${name}.json`);
    this.name = name;
    this.document = JSON.parse(readFileSync(path, 'utf8'));
    assert.deepEqual(this.document.security, [{ bearer: [] }]);
  }

  /** [{key, method, operation}] */
  operations() {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        key: path.split('/').at(-1),
        path,
        method: method.toUpperCase(),
        operation,
      })),
    );
  }

  operation(method, key) {
    const found = this.operations().find(
      (o) => o.key === key && o.method === method,
    );
    assert.ok(found, `${this.name} has ${method} of ${key}`);
    return found.operation;
  }

  /** The Accept of a client that was generated from this document. */
  accept(method, key) {
    const types = Object.values(this.operation(method, key).responses).flatMap(
      (response) => Object.keys(response.content ?? {}),
    );
    return [...new Set(types)].join(', ');
  }

  /** True if it says a POST body is valid. */
  isValidBody(key, body) {
    const { schema } = this.operation('POST', key).requestBody.content[
      'application/json'
    ];
    if (!compiled.has(schema)) compiled.set(schema, ajv.compile(schema));
    return compiled.get(schema)(body);
  }

  /**
   * Fails unless the answer is as promised; true if the document promises
   * something of its body.
   */
  assertKept(method, key, response) {
    const { responses } = this.operation(method, key);
    const promised = responses[response.status] ?? responses.default;
    const what = `${this.name}: ${method} ${key} ${response.status}`;
    if (promised === undefined) {
      // The older document names no others, and has no default.
      assert.equal(this.name, 'external_oms', what);
      assert.ok(
        [304, 401, 403, 404, 405, 412, 413, 415, 503].includes(response.status),
        what,
      );
      return false;
    }
    if (promised.content === undefined) return false;
    const [type] = response.type.split(';');
    assert.ok(
      type in promised.content,
      `${what}: ${type} is none of ${Object.keys(promised.content)}`,
    );
    validate(promised.content[type].schema, response.json, what);
    return true;
  }
}

export const documents = [
  new Document('sales_order'),
  new Document('external_oms'),
];

/** Fails unless it is the one problem body, of this status and code. */
export function assertProblem(response, status, code, message) {
  assert.equal(response.status, status, response.text);
  assert.match(response.type, /^application\/(problem\+)?json$/);
  const { json } = response;
  assert.deepEqual(Object.keys(json).sort(), [
    'error_code',
    'message',
    'messages',
    'request_id',
    'status',
    'title',
    'type',
  ]);
  assert.equal(json.status, status);
  assert.equal(json.error_code, code);
  assert.equal(json.request_id, response.headers['x-request-id']);
  assert.ok(
    json.request_id.length > 0 &&
      json.message.length > 0 &&
      json.title.length > 0,
  );
  assert.ok(Array.isArray(json.messages) && json.messages.length > 0);
  for (const line of json.messages) assert.equal(typeof line, 'string');
  if (message !== undefined) assert.match(json.messages.join('\n'), message);
}

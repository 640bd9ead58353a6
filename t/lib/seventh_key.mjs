// SPDX-License-Identifier: MIT
// node seventh_key.mjs TREE: adds a config key to a copy of the sources, by the
// recipe of src/README.md and nothing else. Run by t/check-seventh-key.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const tree = process.argv[2];
const NAME = 'gift_wrap_allowed';

/** Replaces what is in a file exactly once. */
function replace(path, what, by) {
  const file = join(tree, path);
  const before = readFileSync(file, 'utf8');
  assert.equal(before.split(what).length, 2, `${path}: ${what}`);
  writeFileSync(file, before.replace(what, () => by));
}
const addBehind = (path, what, text) => replace(path, what, what + text);
const addBefore = (path, what, text) => replace(path, what, text + what);

// 1. A row.
addBehind(
  'src/model/config_keys.c',
  '     .recipient = "url"},\n',
  `    {.name = "${NAME}",
     .value = {.type = SCHEMA_BOOLEAN},
     .unset = "false"},
`,
);
replace('src/model/config_keys.h', 'CONFIG_KEYS_MAX 6', 'CONFIG_KEYS_MAX 7');

// 2. Cases.
for (const [path, body, expected] of [
  ['good/example', '{"value":true}', 'true\n'],
  ['good/off', '{"value": false}', 'false\n'],
  ['bad/number', '{"value":1}', 'value: must be a boolean\n'],
]) {
  const file = join(tree, 't/data', NAME, `${path}.json`);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, body);
  writeFileSync(`${file}.expected`, expected);
}

// 3. The OpenAPI document: the key's path, its schemas, and its place among all.
const YAML = 'data/openapi.yaml';
const problems = (isPost) =>
  [
    ["'304'", 'notModified', !isPost],
    ["'400'", 'badRequest'],
    ["'401'", 'unauthorized'],
    ["'403'", 'forbidden'],
    ["'404'", 'notFound'],
    ["'405'", 'methodNotAllowed'],
    ["'409'", 'conflict', isPost],
    ["'412'", 'preconditionFailed'],
    ["'413'", 'contentTooLarge'],
    ["'415'", 'unsupportedMediaType', isPost],
    ["'500'", 'internalError'],
    ["'503'", 'unavailable'],
    ['default', 'otherProblem'],
  ]
    .filter(([, , isThere = true]) => isThere)
    .map(([status, name]) => `        ${status}: *${name}\n`)
    .join('');

addBefore(
  YAML,
  '  /config/sales_order:\n',
  `  /config/sales_order/${NAME}:
    get:
      tags: [settings]
      operationId: getGiftWrapAllowed
      summary: Read whether gifts may be wrapped
      parameters: *readParameters
      responses:
        '200':
          description: Whether they may; false if it is not set.
          headers: *settingHeaders
          content:
            application/json: &giftContent
              schema:
                $ref: '#/components/schemas/GiftWrapAllowed'
              example:
                value: true
                updated_at: '2026-11-22T05:39:41Z'
            application/problem+json: *giftContent
${problems(false)}    post:
      tags: [settings]
      operationId: setGiftWrapAllowed
      summary: Set whether gifts may be wrapped
      parameters: *writeParameters
      requestBody:
        required: true
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/SetGiftWrapAllowed'
            example:
              value: true
      responses:
        '200':
          description: Whether they may, as it is stored.
          headers: *writtenHeaders
          content:
            application/json: *giftContent
            application/problem+json: *giftContent
${problems(true)}`,
);
addBehind(YAML, '          - external_oms\n          - external_order_webhook\n', `          - ${NAME}\n`);
addBefore(
  YAML,
  '    Settings:\n',
  `    GiftWrap:
      type: boolean
      description: True if the items of an order may be wrapped as gifts.
    GiftWrapAllowed:
      type: object
      required: [value, updated_at]
      properties:
        value:
          $ref: '#/components/schemas/GiftWrap'
        updated_at:
          $ref: '#/components/schemas/UpdatedAt'
    SetGiftWrapAllowed:
      type: object
      required: [value]
      properties:
        value:
          $ref: '#/components/schemas/GiftWrap'
`,
);
addBefore(
  YAML,
  '    History:\n',
  `        ${NAME}:
          type: object
          required: [value, updated_at, version, etag, updated_by]
          properties:
            value:
              $ref: '#/components/schemas/GiftWrap'
            updated_at:
              $ref: '#/components/schemas/UpdatedAt'
            version:
              $ref: '#/components/schemas/SettingVersion'
            etag:
              $ref: '#/components/schemas/SettingTag'
            updated_by:
              $ref: '#/components/schemas/Author'
`,
);
const last = (name) => `        - $ref: '#/components/schemas/${name}'\n`;
addBehind(YAML, `${last('OmsSwitch')}${last('Webhook')}`, last('GiftWrap'));
replace(
  YAML,
  `${last('ExternalOrderWebhook')}    Restore:\n`,
  `${last('ExternalOrderWebhook')}${last('GiftWrapAllowed')}    Restore:\n`,
);
addBehind(
  YAML,
  `                external_order_webhook:
                  value: {url: https://orders.example/hooks, api_key: not-a-real-key, timeout: 10}
                  updated_at: '2026-11-22T05:39:41Z'
                  version: 1
                  etag: '"1-8f3c0b5e9d2a4716"'
                  updated_by: alice
`,
  `                ${NAME}:
                  value: true
                  updated_at: '2026-11-22T05:39:41Z'
                  version: 1
                  etag: '"1-8f3c0b5e9d2a4716"'
                  updated_by: alice
`,
);

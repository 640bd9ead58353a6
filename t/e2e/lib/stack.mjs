// SPDX-License-Identifier: MIT
// The real service behind the real nginx with the repository's configuration,
// in a directory of its own, on unix sockets.
import assert from 'node:assert/strict';
import http from 'node:http';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { FcgiConnection, fcgiRequest } from './fcgi.mjs';
import { request } from './http.mjs';
import { find, service, srcdir } from './paths.mjs';
import { Program, until } from './process.mjs';
import { ISSUER, makeKey, makeToken } from './token.mjs';

export const BASE = '/v0/config/sales_order/';

export class Stack {
  /**
   * options: the service's options over the harness's own (null: leave out);
   * env: more of its environment; edit: what to make of nginx's files
   * (name, text); nginx: false for the service alone.
   */
  static async start(options = {}) {
    const stack = new Stack(options);
    try {
      await stack.startService();
      if (options.nginx !== false) await stack.startNginx();
    } catch (error) {
      const log = stack.log();
      await stack.kill();
      throw new Error(`${error.message}\n${log}`, { cause: error });
    }
    return stack;
  }

  constructor({ options = {}, env = {}, edit = (_name, text) => text } = {}) {
    this.dir = mkdtempSync(join(tmpdir(), 'oc-'));
    this.keys = join(this.dir, 'keys');
    mkdirSync(this.keys);
    this.fcgiSocket = join(this.dir, 'fcgi.sock');
    this.logFile = join(this.dir, 'log');
    this.target = { socketPath: join(this.dir, 'http.sock') };
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 128 });
    this.env = env;
    this.edit = edit;
    this.options = {
      db: join(this.dir, 'db'),
      listen: `unix:${this.fcgiSocket}`,
      workers: 2,
      issuer: ISSUER,
      jwks: join(this.keys, '{tenant}.json'),
      'map-size': '64M',
      ...options,
    };
    this.key = makeKey('ES256', 'k1');
    this.tenants = 0;
    this.sent = new Set(); // tokens, which no log may hold
  }

  args() {
    return Object.entries(this.options)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `--${name}=${value}`);
  }

  async startService() {
    this.service = new Program(service, this.args(), {
      log: this.logFile,
      env: this.env,
    });
    await until('the service accepts connections', async () => {
      assert.equal(this.service.end, undefined, 'the service ended');
      return (await this.answers()) && /"event":"ready"/.test(this.log());
    });
  }

  async answers() {
    try {
      (await FcgiConnection.open(this.fcgiSocket)).close();
      return true;
    } catch {
      return false;
    }
  }

  /** Copies nginx/ with its edits, and fills in the template. */
  writeNginxFiles(values) {
    const dir = join(this.dir, 'nginx');
    mkdirSync(join(dir, 'snippets'), { recursive: true });
    for (const name of readdirSync(join(srcdir, 'nginx'))) {
      let text = this.edit(
        name,
        readFileSync(join(srcdir, 'nginx', name), 'utf8'),
      );
      for (const [key, value] of Object.entries(values))
        text = text.replaceAll(`@${key}@`, value);
      writeFileSync(join(dir, name.replace(/\.in$/, '')), text);
      writeFileSync(join(dir, 'snippets', name), text);
    }
    return dir;
  }

  async startNginx(config = 'demo.conf') {
    const run = join(this.dir, 'run');
    mkdirSync(run, { recursive: true });
    const dir = this.writeNginxFiles({
      USER: process.getuid() === 0 ? 'user root;' : '',
      RUN: run,
      NGINX: join(this.dir, 'nginx'),
      LISTEN: `unix:${this.target.socketPath}`,
      FASTCGI: `unix:${this.fcgiSocket}`,
      ACCESS: join(this.dir, 'access.log'),
    });
    const nginx = find('nginx');
    assert.ok(nginx, 'nginx is not installed');
    this.nginx = new Program(nginx, ['-p', run, '-c', join(dir, config)], {
      log: join(this.dir, 'nginx.log'),
    });
    await until('nginx answers', async () => {
      assert.equal(this.nginx.end, undefined, 'nginx ended');
      return (
        existsSync(join(run, 'nginx.pid')) && existsSync(this.target.socketPath)
      );
    });
  }

  /** A tenant that no other test uses, with its key in place. */
  tenant(keys = [this.key]) {
    const name = `t${++this.tenants}`;
    this.setKeys(name, keys);
    return name;
  }

  setKeys(tenant, keys) {
    writeFileSync(
      join(this.keys, `${tenant}.json`),
      JSON.stringify({ keys: keys.map((key) => key.jwk) }),
    );
  }

  token(tenant, claims) {
    return makeToken(this.key, tenant, claims);
  }

  authorization(token) {
    this.sent.add(token);
    return `Bearer ${token}`;
  }

  /** A request through nginx; for tenant, or with a token of its own, or none. */
  request({ tenant, token, headers = {}, ...rest }) {
    const all = { ...headers };
    const bearer = token ?? (tenant && this.token(tenant));
    if (bearer) all.authorization = this.authorization(bearer);
    return request(this.target, { agent: this.agent, headers: all, ...rest });
  }

  get(tenant, key, headers) {
    return this.request({ tenant, path: BASE + key, headers });
  }

  /** Sets a key; body is the whole body. */
  post(tenant, key, body, headers) {
    return this.request({
      tenant,
      method: 'POST',
      path: BASE + key,
      body,
      headers,
    });
  }

  /** The CGI variables of a request for a worker, without a web server. */
  params(method, key, { tenant, token, body = '', ...more } = {}) {
    const bearer = token ?? (tenant && this.token(tenant));
    return {
      GATEWAY_INTERFACE: 'CGI/1.1',
      REQUEST_METHOD: method,
      PATH_INFO: `/config/sales_order/${key}`,
      ...(bearer ? { HTTP_AUTHORIZATION: this.authorization(bearer) } : {}),
      ...(method === 'POST'
        ? {
            CONTENT_TYPE: 'application/json',
            CONTENT_LENGTH: Buffer.byteLength(body),
          }
        : {}),
      ...more,
    };
  }

  direct(params, body) {
    return fcgiRequest(this.fcgiSocket, params, body);
  }

  /** What the service and nginx said. */
  log() {
    return ['log', 'nginx.log', 'access.log']
      .map((name) => join(this.dir, name))
      .filter(existsSync)
      .map((path) => readFileSync(path, 'latin1'))
      .join('');
  }

  /** The service's log as objects. */
  events() {
    return readFileSync(this.logFile, 'latin1')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  /** Fails if a log holds a part of a token, or a sanitizer's report. */
  assertCleanLog() {
    const log = this.log();
    assert.doesNotMatch(log, /Sanitizer|runtime error:/);
    for (const token of this.sent)
      for (const part of token.split('.'))
        if (part.length >= 16)
          assert.ok(!log.includes(part), `the log holds a token's ${part}`);
    for (const line of readFileSync(this.logFile, 'latin1').split('\n'))
      if (line !== '' && line !== 'ready')
        assert.doesNotThrow(() => JSON.parse(line), `no JSON: ${line}`);
  }

  async stopService() {
    const end = await this.service.stop('SIGTERM');
    assert.deepEqual(end, { code: 0, signal: null }, this.log());
  }

  /** Stops all of it, as it should be stopped, and looks at what it logged. */
  async stop() {
    this.agent.destroy();
    if (this.nginx)
      assert.deepEqual(await this.nginx.stop('SIGQUIT'), {
        code: 0,
        signal: null,
      });
    if (!this.service.end) await this.stopService();
    this.assertCleanLog();
  }

  /** Leaves nothing behind, whatever happened. */
  async kill() {
    this.agent.destroy();
    for (const program of [this.nginx, this.service])
      if (program && !program.end)
        await program.stop('SIGTERM').catch(() => {});
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/**
 * For a file whose tests have a stack each: make(options) gives one that is
 * not started, start(options) one that is. They are gone when the file is done.
 */
export function factory() {
  const stacks = [];
  after(() => Promise.all(stacks.map((stack) => stack.kill())));
  const make = (options) => {
    stacks.push(new Stack(options));
    return stacks.at(-1);
  };
  const start = async (options) => {
    const stack = await Stack.start(options);
    stacks.push(stack);
    return stack;
  };
  return { make, start };
}

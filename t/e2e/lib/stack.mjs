// SPDX-License-Identifier: MIT
// The real service behind a real web server with the repository's configuration,
// in a directory of its own; by default nginx, on unix sockets.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import {
  chownSync,
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
import { fronts } from './fronts.mjs';
import { request } from './http.mjs';
import { find, service, srcdir } from './paths.mjs';
import { Program, until } from './process.mjs';
import { ISSUER, makeKey, makeToken } from './token.mjs';

export const BASE = '/v0/config/sales_order/';

export class Stack {
  /**
   * options: the service's options over the harness's own (null: leave out);
   * env: more of its environment; edit: what to make of the web server's files
   * (name, text); front: one of fronts.mjs; nginx: false for the service alone.
   */
  static async start(options = {}) {
    const stack = new Stack(options);
    try {
      if (options.nginx === false) await stack.startService();
      else await stack.startAll();
    } catch (error) {
      const log = stack.log();
      await stack.kill();
      throw new Error(`${error.message}\n${log}`, { cause: error });
    }
    return stack;
  }

  constructor({
    options = {},
    env = {},
    edit = (_name, text) => text,
    front = process.env.E2E_FRONT ?? 'nginx',
  } = {}) {
    this.dir = mkdtempSync(join(tmpdir(), 'oc-'));
    this.keys = join(this.dir, 'keys');
    mkdirSync(this.keys);
    this.fcgiSocket = join(this.dir, 'fcgi.sock');
    this.logFile = join(this.dir, 'log');
    this.target = { socketPath: join(this.dir, 'http.sock') };
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 128 });
    this.env = env;
    /** Set by a test that kills processes while they log. */
    this.killsWriters = false;
    this.edit = edit;
    this.program = service;
    this.front = new fronts[front](this);
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

  /** The same options as variables: [[name, value], …]. */
  environment(options = this.options) {
    return Object.entries(options)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [
        `ORDERCONF_${name.toUpperCase().replaceAll('-', '_')}`,
        String(value),
      ]);
  }

  /** Writes them, behind more lines, into a settings file; its path. */
  writeSettings(options = this.options, more = '') {
    const path = join(this.dir, 'orderconf.conf');
    const lines = this.environment(options).map((pair) => `${pair.join('=')}\n`);
    writeFileSync(path, more + lines.join(''));
    return path;
  }

  /** The service and the web server, as the front end has it. */
  async startAll() {
    await this.front.startService();
    await this.front.startServer();
  }

  async startService() {
    this.service = new Program(this.program, this.args(), {
      log: this.logFile,
      env: this.env,
      user: this.user,
    });
    await this.serviceReady();
  }

  async serviceReady() {
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

  /** [certificate, key]: files for this machine's tests, made once. */
  certificate() {
    const files = ['cert.pem', 'key.pem'].map((name) => join(this.dir, name));
    if (!existsSync(files[0]))
      execFileSync(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'ec', '-nodes', '-days', '2'],
          ...['-pkeyopt', 'ec_paramgen_curve:P-256'],
          ...['-subj', '/CN=api.x.example'],
          ...['-addext', 'basicConstraints=critical,CA:FALSE'],
          ...['-addext', 'subjectAltName=DNS:api.x.example,DNS:*.x.example'],
          ...['-keyout', files[1], '-out', files[0]],
        ],
        { stdio: 'pipe' },
      );
    if (this.user)
      for (const file of files) chownSync(file, this.user.uid, this.user.gid);
    return files;
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

  /** A request by HTTP; for tenant, or with a token of its own, or none. */
  request({ tenant, token, headers = {}, ...rest }) {
    const all = { host: this.front.host, ...headers };
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

  /** What the service and the web server said. */
  log() {
    this.service?.settleLog();
    const names = ['log', 'nginx.log', 'access.log'];
    return [
      ...new Set([...names.map((n) => join(this.dir, n)), ...this.front.logs]),
    ]
      .filter(existsSync)
      .map((path) => readFileSync(path, 'latin1'))
      .join('');
  }

  /**
   * The service's log as objects. Where the web server has it, a line may have
   * words of the server around it.
   */
  events() {
    return this.logLines()
      .filter((line) => line.includes('{"time"'))
      .map((line) =>
        JSON.parse(
          line.slice(line.indexOf('{"time"'), line.lastIndexOf('}') + 1),
        ),
      );
  }

  logLines() {
    this.service?.settleLog();
    return readFileSync(this.logFile, 'latin1').split('\n');
  }

  /** Fails if a log holds a part of a token, or a sanitizer's report. */
  assertCleanLog() {
    const log = this.log();
    assert.doesNotMatch(log, /Sanitizer|runtime error:/);
    for (const token of this.sent)
      for (const part of token.split('.'))
        if (part.length >= 16)
          assert.ok(!log.includes(part), `the log holds a token's ${part}`);
    // Where the service has one of its own, hardly anything else is in it.
    if (this.logFile !== join(this.dir, 'log')) return;
    for (const line of this.logLines()) {
      // A write(2) to a file that crosses a page ends there if its process is
      // killed, and the next process's line follows at once. No text in a line
      // looks like the start of one, because quotes are escaped.
      const last = this.killsWriters ? line.lastIndexOf('{"time":"') : 0;
      const whole = line.slice(Math.max(last, 0));
      if (line !== '' && line !== 'ready' && !this.front.said.test(line))
        assert.doesNotThrow(() => JSON.parse(whole), `no JSON: ${line}`);
    }
  }

  async stopService() {
    const end = await this.service.stop('SIGTERM');
    assert.deepEqual(end, { code: 0, signal: null }, this.log());
  }

  /** Stops all of it, as it should be stopped, and looks at what it logged. */
  async stop() {
    this.agent.destroy();
    if (this.front.server) await this.front.stop();
    else if (!this.service.end) await this.stopService();
    this.assertCleanLog();
  }

  /** Leaves nothing behind, whatever happened. */
  async kill() {
    this.agent.destroy();
    for (const program of this.front.programs())
      if (!program.end) await program.stop('SIGTERM').catch(() => {});
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

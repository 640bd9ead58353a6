// SPDX-License-Identifier: MIT
// What is measured: the service behind the repository's nginx, as the
// end-to-end tests start it, with a static file and programs that
// answer without a look behind the same nginx.
import { existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { Stack } from '../../e2e/lib/stack.mjs';
import { builddir } from '../../e2e/lib/paths.mjs';
import { Program, until } from '../../e2e/lib/process.mjs';
import { makeKey, makeToken } from '../../e2e/lib/token.mjs';

export const KEY = 'big_sales_order';
export const PATH = `/v0/config/sales_order/${KEY}`;
export const BODY = '{"value":{"soft_limit_for_big_orders":250}}';
export const TTL = 7 * 86400;

export const tool = (name) => join(builddir, 't/bench', name);
export const slowFlush = join(builddir, 't/lib/slow_flush.so');

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The environment of a program whose disk takes ms for a flush. */
export const slowDisk = (ms) => ({ LD_PRELOAD: slowFlush, SLOW_FLUSH_MS: String(ms) });

/**
 * What answers everything with the same bytes, and with how many processes:
 * libfcgi wants one for each connection that nginx may hold open.
 */
const CANNED = { null: 128, bare: os.cpus().length };

/** The place of such a program: like the service's in every other respect. */
function cannedLocation(text, name) {
  const [block] = /^location \^~ \/v0\/ \{$.*?^\}$/ms.exec(text);
  return block.replaceAll('/v0', `/${name}`)
    .replace(/fastcgi_pass \S+;/, `fastcgi_pass ${name};`);
}

export class Stand extends Stack {
  /** program: instead of the service, e.g. one that commits inline. */
  static async start({ program, ...options } = {}) {
    const stand = new Stand({ ...options, port: await freePort() });
    if (program) stand.program = program;
    try {
      await stand.startAll();
    } catch (error) {
      const log = stand.log();
      await stand.kill();
      throw new Error(`${error.message}\n${log}`, { cause: error });
    }
    return stand;
  }

  constructor({ port, options = {}, ...rest }) {
    super({
      options: { 'map-size': '16G', ...options },
      edit: (name, text) => this.editNginx(name, text),
      ...rest,
    });
    this.url = `http://127.0.0.1:${port}`;
    this.port = port;
    this.key = makeKey('RS256', 'k1');
    this.canned = {}; // those that are built, by name
    this.www = join(this.dir, 'www');
    mkdirSync(this.www);
  }

  async startAll() {
    await this.startService();
    for (const name of Object.keys(CANNED)) await this.startCanned(name);
    await this.startNginx();
  }

  cannedSocket(name) {
    return join(this.dir, `${name}.sock`);
  }

  async startCanned(name) {
    const program = tool(`${name}_fcgi`);
    if (!existsSync(program)) return;
    writeFileSync(join(this.www, 'body'), '{}');
    this.canned[name] = new Program(program,
      [this.cannedSocket(name), String(CANNED[name]), join(this.www, 'body')],
      { log: join(this.dir, `${name}.log`) });
    await until(`${name}_fcgi listens`, () => existsSync(this.cannedSocket(name)));
  }

  editNginx(name, text) {
    if (name === 'orderconf_server.conf') 
      return [text, ...Object.keys(CANNED).map((canned) => cannedLocation(text, canned))].join('\n');
    if (name !== 'demo.conf.in') return text;
    const [upstream] = /^ *upstream orderconf \{$.*?^ *\}$/ms.exec(text);
    const others = Object.keys(CANNED).map((canned) => upstream.replace('orderconf', canned)
      .replaceAll('@FASTCGI@', `unix:${this.cannedSocket(canned)}`));
    return text
      .replace(upstream, [upstream, ...others].join('\n'))
      .replace('listen @LISTEN@;', `listen @LISTEN@;
        listen 127.0.0.1:${this.port};
        location /static/ {
            alias "${this.www}/";
            default_type application/json;
        }`);
  }

  /** Makes the bytes that GET answers the static file, and gives its path. */
  async copyAnswer(tenant) {
    const answer = await this.get(tenant, KEY);
    if (answer.status !== 200) throw new Error(`GET answers ${answer.text}`);
    writeFileSync(join(this.www, 'answer.json'), answer.text);
    return '/static/answer.json';
  }

  /** Key sets for t1 to tN: one file by many names. */
  setUpTenants(names) {
    const base = join(this.keys, 'all.json');
    if (!existsSync(base)) this.setKeys('all', [this.key]);
    for (const name of names) {
      const path = join(this.keys, `${name}.json`);
      if (!existsSync(path)) linkSync(base, path);
    }
  }

  /** A file with the tokens, one a line, for tenants names. */
  writeTokens(names) {
    this.setUpTenants(new Set(names));
    const path = join(this.dir, 'tokens');
    writeFileSync(path, names.map((name, i) => this.benchToken(name, i)).join('\n'));
    return path;
  }

  benchToken(tenant, i = 0) {
    const now = Math.floor(Date.now() / 1000);
    return makeToken(this.key, tenant, { exp: now + TTL, iat: now, jti: String(i), scope: 'config' });
  }

  async kill() {
    for (const program of Object.values(this.canned)) program.kill('SIGTERM');
    await super.kill();
  }
}

// SPDX-License-Identifier: MIT
// The ways to deploy the service, each made of the files that the repository
// ships for it, with paths and ports of a test. What a front end cannot do is a
// member of its class, which the tests read: see Front.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { freePort, setting, shipped } from './files.mjs';
import { builddir, need, srcdir } from './paths.mjs';
import { Program, until } from './process.mjs';

/** What a test may ask of a front end; nginx does all of it. */
class Front {
  constructor(stack) {
    this.stack = stack;
    this.logs = [];
  }

  /** The Host of requests that do not say. */
  host = 'localhost';
  /** What whoever starts the service says in its log. */
  said = /^$/;
  /** What it answers itself has an id, and the type that the client prefers. */
  negotiates = true;
  /** It has no socket, but a program to start. */
  startsProgram = false;
  /** Its own log has the X-Request-Id of a request. */
  logsIds = false;
  /** A path that it refuses itself, with a problem. */
  refused = '/elsewhere';
  /** Where it has /healthz, and the same for this machine only, if at all. */
  health = '/healthz';
  own = ['/readyz', '/metrics'];
  /** Its words for a service that is gone. */
  gone = [502, 'bad_gateway'];
  /** What it answers itself to a path with this in it; the service says 404. */
  disguised = {};
  /** What it makes of TRACE, by itself. */
  trace = 405;
  /** Its answers where the service would take two lines as one list. */
  twoLines = {};
  /** It drops a field that is empty, even a condition. */
  losesEmptyFields = false;
  /** The largest token that it takes, but for a few bytes. */
  tokenMax = 16200;
  /** What header fields that are too large or too many are. */
  tooLarge = [431];
  /** What it says of a request that it cannot read is ours to word. */
  ownsServer = true;
  /** What it makes of a version of HTTP that is none. */
  version = 505;
  /** The same, of an expectation and of a POST without a length. */
  expectation = 401;
  lengthRequired = 401;

  /** Starts the service; by default with a supervisor of its own. */
  startService() {
    return this.stack.startService();
  }

  async stopService() {
    await this.stack.stopService();
  }

  programs() {
    return [this.server, this.stack.service].filter(Boolean);
  }

  /** Replaces every worker once, while requests go on. */
  async replaceWorkers() {
    const { service: supervisor } = this.stack;
    const before = supervisor.children();
    supervisor.kill('SIGHUP');
    await until('all workers are new', () => {
      const pids = supervisor.children();
      return pids.length === 2 && !pids.some((pid) => before.includes(pid));
    });
  }

  /** Takes the service away from the web server. */
  async lose() {
    await this.stopService();
  }

  log(name) {
    const path = join(this.stack.dir, name);
    if (!this.logs.includes(path)) this.logs.push(path);
    return path;
  }

  async listening() {
    await until('the web server listens', () => {
      assert.equal(this.server.end, undefined, 'the web server ended');
      return new Promise((resolve) => {
        const socket = net.connect(this.stack.target, () =>
          resolve(socket.end() && true),
        );
        socket.on('error', () => resolve(false));
      });
    });
  }

  async stopServer(signal, end = { code: 0, signal: null }) {
    assert.deepEqual(await this.server.stop(signal), end);
  }

  async stop() {
    await this.stopServer(this.stopSignal);
    await this.stopService();
  }
}

/** nginx before the supervisor. */
class Nginx extends Front {
  disguised = { '%00': 400 };
  twoLines = { 'if-none-match': 400, 'if-match': 400, lost: 400 };
  stopSignal = 'SIGQUIT';

  get server() {
    return this.stack.nginx;
  }

  async startServer() {
    await this.stack.startNginx();
  }
}

/** nginx before the service as orderconf.service and .socket start it. */
class NginxSystemd extends Nginx {
  said = /^(Listening|Communication attempt|Execing|Connection from) /;

  async startService() {
    const { stack } = this;
    const unit = shipped('data/orderconf.service.in', [
      ['@sbindir@', builddir],
    ]);
    const socket = shipped('data/orderconf.socket', [
      ['/run/orderconf/fcgi.sock', stack.fcgiSocket],
    ]);
    const conf = shipped('data/orderconf.conf', [
      ['https://id.example.com/realms/{tenant}', stack.options.issuer],
      ['/etc/orderconf/keys/{tenant}.json', stack.options.jwks],
      ['/var/lib/orderconf', stack.options.db],
    ]);
    const { db, issuer, jwks, listen, ...rest } = stack.options;
    // The units name no file: it is where the service looks.
    const config = stack.writeSettings(rest, conf);
    stack.service = new Program(
      need('systemd-socket-activate'),
      [
        `--listen=${setting(socket, 'ListenStream')}`,
        `--setenv=ORDERCONF_CONFIG=${config}`,
        ...setting(unit, 'ExecStart').split(' '),
      ],
      { log: stack.logFile, env: stack.env },
    );
    await until('the socket is there', () => existsSync(stack.fcgiSocket));
    assert.doesNotMatch(stack.log(), /"event":"ready"/);
    await stack.serviceReady(); // which is its first connection
  }
}

/** nginx before workers that spawn-fcgi starts, each on a socket of its own. */
class NginxSpawnFcgi extends Nginx {
  async startService() {
    const { stack } = this;
    const { listen, ...options } = stack.options;
    const changes = [
      ['@sbindir@', builddir],
      ['/usr/bin/spawn-fcgi', need('spawn-fcgi')],
      ['/run/orderconf', stack.dir],
    ];
    const unit = shipped('data/orderconf-worker@.service.in', changes);
    const config = stack.writeSettings(options);
    this.startWorker = async (i) => {
      const command = setting(unit, 'ExecStart').replaceAll('%i', i);
      const [program, ...args] = command.split(' ');
      const socketPath = args[args.indexOf('-s') + 1];
      rmSync(socketPath, { force: true }); // its ExecStartPre
      const worker = new Program(program, args, {
        log: stack.logFile,
        env: { ORDERCONF_CONFIG: config, ...stack.env },
      });
      await until('the worker has its socket', () => existsSync(socketPath));
      return worker;
    };
    this.workers = await Promise.all([1, 2, 3, 4].map(this.startWorker));
    stack.fcgiSocket = join(stack.dir, 'worker-1.sock');
  }

  async startServer() {
    const { stack } = this;
    const edit = stack.edit;
    stack.edit = (name, original) => {
      let text = original;
      if (name === 'demo.conf.in')
        text = text.replace(
          /upstream orderconf \{[^}]*\}/,
          'include "@NGINX@/orderconf_upstream_spawn_fcgi.conf";',
        );
      if (name === 'orderconf_upstream_spawn_fcgi.conf')
        text = text.replaceAll('/run/orderconf/', `${stack.dir}/`);
      return edit(name, text);
    };
    await super.startServer();
  }

  programs() {
    return [this.server, ...(this.workers ?? [])].filter(Boolean);
  }

  /** Restarts one after the other, as systemctl does. */
  async replaceWorkers() {
    for (const [i, worker] of this.workers.entries()) {
      assert.deepEqual(await worker.stop('SIGTERM'), { code: 0, signal: null });
      this.workers[i] = await this.startWorker(i + 1);
    }
  }

  async stopService() {
    for (const worker of this.workers)
      assert.deepEqual(await worker.stop('SIGTERM'), { code: 0, signal: null });
  }
}

/** What the three ways with Apache have in common. */
class Apache extends Front {
  version = 401; // taken for HTTP/1.1
  expectation = 417;
  tooLarge = [400, 431]; // a field of its own limits, or all of them together
  logsIds = true;
  gone = [503, 'service_unavailable'];

  stopSignal = 'SIGTERM';
  host = 'api.x.example';

  static modules = [
    'alias',
    'authz_core',
    'authz_host',
    'env',
    'headers',
    'mpm_event',
    'setenvif',
    'unique_id',
  ];

  /** apache2.conf of the site that includes the files of the repository. */
  writeMain(text, modules) {
    const { dir } = this.stack;
    const libraries = '/usr/lib/apache2/modules';
    const main = join(dir, 'apache2.conf');
    writeFileSync(
      main,
      [
        `ServerRoot ${dir}`,
        `PidFile ${dir}/apache2.pid`,
        `DefaultRuntimeDir ${dir}`,
        `Mutex file:${dir} default`,
        ...[...Apache.modules, ...modules].map(
          (name) => `LoadModule ${name}_module ${libraries}/mod_${name}.so`,
        ),
        `Listen 127.0.0.1:${this.stack.target.port}`,
        'ServerName api.x.example',
        // Fewer processes than for a site; as many requests at a time.
        'StartServers 1',
        'ServerLimit 4',
        'ThreadsPerChild 40',
        'MaxRequestWorkers 160',
        'KeepAliveTimeout 60',
        'MaxKeepAliveRequests 0',
        `ErrorLog ${this.log('apache.log')}`,
        `CustomLog ${this.log('access.log')} "%h %r %>s %{UNIQUE_ID}e"`,
        // As Debian has it: what is not granted is refused.
        '<Directory />',
        'AllowOverride None',
        'Require all denied',
        '</Directory>',
        text,
        '',
      ].join('\n'),
    );
    return main;
  }

  /** Apache does not serve as root, so nothing else here does. */
  async prepare() {
    const { stack } = this;
    stack.target = { host: '127.0.0.1', port: await freePort() };
    mkdirSync(join(stack.dir, 'sbin'));
    const program = join(stack.dir, 'sbin/orderconf.fcgi');
    copyFileSync(stack.program, program);
    stack.program = program;
    if (process.getuid() !== 0) return;
    stack.user = { uid: 65534, gid: 65534 };
    chownSync(stack.dir, stack.user.uid, stack.user.gid);
  }

  async startService() {
    await this.prepare();
    await super.startService();
  }

  async startServer() {
    this.server = new Program(
      need('apache2'),
      ['-D', 'FOREGROUND', '-f', this.main],
      { log: this.log('apache-start.log'), user: this.stack.user },
    );
    await this.listening();
  }

  /** A virtual host with TLS, of this file. */
  writeSite(name, modules, changes = []) {
    const { stack } = this;
    const [cert, key] = stack.certificate();
    writeFileSync(
      join(stack.dir, 'orderconf_server.conf'),
      stack.edit(
        'orderconf_server.conf',
        shipped('data/apache/orderconf_server.conf'),
      ),
    );
    const site = shipped(`data/apache/${name}`, [
      ['*:443', `127.0.0.1:${stack.target.port}`],
      ['/etc/ssl/orderconf/fullchain.pem', cert],
      ['/etc/ssl/orderconf/privkey.pem', key],
      ...changes,
    ]);
    stack.target.protocol = 'https:';
    stack.target.rejectUnauthorized = false;
    stack.agent = new https.Agent({ keepAlive: true, maxSockets: 128 });
    this.main = this.writeMain(stack.edit(name, site), ['ssl', ...modules]);
  }
}

class ApacheProxyFcgi extends Apache {
  async startServer() {
    this.writeSite(
      'orderconf_proxy_fcgi.conf',
      ['proxy', 'proxy_fcgi'],
      [['/run/orderconf/fcgi.sock', this.stack.fcgiSocket]],
    );
    await super.startServer();
  }
}

/** Apache starts the program of the service itself. */
class ApacheStarter extends Apache {
  startsProgram = true;
  replaceWorkers = null; // Apache starts and ends them
  gone = [500, 'internal_server_error'];

  async startService() {
    await this.prepare();
  }

  stopService() {}

  /** The program is there, and does not start. */
  async lose() {
    rmSync(this.stack.program);
    writeFileSync(this.stack.program, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    await this.restart?.();
  }
}

/** mod_fcgid, which has the service's log, too. */
class ApacheFcgid extends ApacheStarter {
  tooLarge = [400, 500]; // mod_fcgid itself fails when all of them are too large

  /** Apache's graceful restart: new workers. Requests may be lost by it. */
  async restart() {
    const count = () => this.workerLines('resuming normal operations').length;
    const before = count();
    this.server.kill('SIGUSR1');
    await until('Apache has restarted', () => count() > before);
  }

  workerLines(words) {
    return this.stack.logLines().filter((line) => line.includes(words));
  }

  async startServer() {
    const { stack } = this;
    const { listen, workers, issuer, jwks, db, ...rest } = stack.options;
    this.writeSite(
      'orderconf_fcgid.conf',
      ['fcgid'],
      [
        ['https://id.example.com/realms/{tenant}', issuer],
        ['/etc/orderconf/keys/{tenant}.json', jwks],
        ['/var/lib/orderconf\n', `${db}\n${this.more(rest)}`],
        ['/usr/sbin', dirname(stack.program)],
      ],
    );
    writeFileSync(
      this.main,
      `FcgidIPCDir ${stack.dir}\nFcgidProcessTableFile ${stack.dir}/fcgid.shm\n`,
      { flag: 'a' },
    );
    stack.logFile = join(stack.dir, 'apache.log');
    await super.startServer();
  }

  more(options) {
    return this.stack
      .environment(options)
      .map(([name, value]) => `FcgidInitialEnv ${name} "${value}"\n`)
      .join('');
  }
}

/** A program run per request, on a host where one has but .htaccess. */
class ApacheCgi extends ApacheStarter {
  ownsServer = false;
  tokenMax = 8000; // LimitRequestFieldSize, which .htaccess cannot change
  trace = 200; // which .htaccess cannot change
  refused = '/v0/metrics'; // the rest of the site is not ours
  health = '/v0/healthz';
  own = [];

  async startServer() {
    const { stack } = this;
    const site = join(stack.dir, 'public_html');
    mkdirSync(site);
    const { listen, workers, issuer, jwks, db, ...rest } = stack.options;
    const more = stack
      .environment(rest)
      .map(([name, value]) => `SetEnv ${name} "${value}"\n`)
      .join('');
    const htaccess = shipped('data/apache/htaccess', [
      ['https://id.example.com/realms/{tenant}', issuer],
      ['/home/me/orderconf/keys/{tenant}.json', jwks],
      ['"/home/me/orderconf/db"\n', `"${db}"\n${more}`],
    ]);
    writeFileSync(join(site, '.htaccess'), stack.edit('htaccess', htaccess));
    const script = shipped('data/apache/v0', [
      ['/home/me/orderconf/orderconf.fcgi', stack.program],
    ]);
    writeFileSync(join(site, 'v0'), stack.edit('v0', script));
    chmodSync(join(site, 'v0'), 0o755);
    this.main = this.writeMain(
      [
        `DocumentRoot ${site}`,
        `ScriptSock ${stack.dir}/cgisock`,
        `<Directory ${site}>`,
        'AllowOverride AuthConfig FileInfo Limit Options=ExecCGI',
        'Require all granted',
        '</Directory>',
      ].join('\n'),
      ['cgid'],
    );
    stack.logFile = join(stack.dir, 'apache.log');
    stack.agent = new http.Agent({ keepAlive: true, maxSockets: 128 });
    await super.startServer();
  }
}

class Lighttpd extends Front {
  lengthRequired = 411;
  stopSignal = 'SIGINT'; // finish what there is, then end
  host = 'api.x.example';
  negotiates = false;
  gone = [503, 'service_unavailable'];
  twoLines = { 'if-none-match': 200 }; // the first line
  losesEmptyFields = true;
  // Control characters, what would become a slash, and what is no UTF-8.
  disguised = {
    ...{ '%0a': 400, '%0d': 400, '%00': 400, '%09': 400, '%0a%0a': 400 },
    ...{ '%2f': 400, '%c0%af': 400 },
  };

  async startServer() {
    const { stack } = this;
    stack.target = { host: '127.0.0.1', port: await freePort() };
    const site = join(stack.dir, 'public_html');
    mkdirSync(site);
    const text = shipped('data/lighttpd/orderconf.conf', [
      ['/run/orderconf/fcgi.sock', stack.fcgiSocket],
      ['/usr/share/orderconf/lighttpd', join(srcdir, 'data/lighttpd')],
    ]);
    const main = join(stack.dir, 'lighttpd.conf');
    writeFileSync(
      main,
      [
        'server.bind = "127.0.0.1"',
        `server.port = ${stack.target.port}`,
        `server.document-root = "${site}"`,
        `server.upload-dirs = ( "${stack.dir}" )`,
        `server.errorlog = "${this.log('lighttpd.log')}"`,
        'server.max-keep-alive-requests = 10000',
        stack.edit('orderconf.conf', text),
        '',
      ].join('\n'),
    );
    this.server = new Program(need('lighttpd'), ['-D', '-f', main], {
      log: this.log('lighttpd-start.log'),
    });
    await this.listening();
  }
}

export const fronts = {
  nginx: Nginx,
  nginx_systemd: NginxSystemd,
  nginx_spawn_fcgi: NginxSpawnFcgi,
  apache_proxy_fcgi: ApacheProxyFcgi,
  apache_fcgid: ApacheFcgid,
  apache_cgi: ApacheCgi,
  lighttpd: Lighttpd,
};

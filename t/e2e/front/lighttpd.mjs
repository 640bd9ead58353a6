// SPDX-License-Identifier: MIT
// The contract through lighttpd and its mod_fastcgi: data/lighttpd.
process.env.E2E_FRONT = 'lighttpd';
await import('./deployment.mjs');
await import('../api/contract.mjs');
await import('../api/negotiation.mjs');
await import('./paths.mjs');
await import('../api/versions.mjs');

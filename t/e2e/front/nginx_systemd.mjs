// SPDX-License-Identifier: MIT
// The contract through nginx, with the service on a socket of systemd's: data/.
process.env.E2E_FRONT = 'nginx_systemd';
await import('./deployment.mjs');
await import('../api/contract.mjs');
await import('../api/negotiation.mjs');
await import('./paths.mjs');
await import('../api/versions.mjs');

// SPDX-License-Identifier: MIT
// The contract through nginx, with workers of spawn-fcgi: data/.
process.env.E2E_FRONT = 'nginx_spawn_fcgi';
await import('./deployment.mjs');
await import('../api/contract.mjs');
await import('../api/negotiation.mjs');
await import('./paths.mjs');
await import('../api/versions.mjs');

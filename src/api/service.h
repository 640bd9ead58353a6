// SPDX-License-Identifier: MIT
/* What operators and integrators ask of the service itself. */
#ifndef API_SERVICE_H
#define API_SERVICE_H

struct api;
struct exchange;

/* GET of the service's own OpenAPI document. */
void api_openapi(struct api *api, struct exchange *exchange);

/* GET of /healthz: the process answers. */
void api_healthz(struct api *api, struct exchange *exchange);

/* GET of /readyz: whether requests would be served now. Waits for a probe, if
 * there is a store to be asked. */
void api_readyz(struct api *api, struct exchange *exchange);

/* GET of /metrics, for Prometheus. */
void api_metrics(struct api *api, struct exchange *exchange);

#endif

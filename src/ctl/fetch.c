// SPDX-License-Identifier: MIT
#include "ctl/fetch.h"

#include "base/util.h"
#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <strings.h>

#define REDIRECTS_MAX 3
#define CONNECT_SECONDS 10L
#define HTTP_OK 200

/* An answer on its way in. */
struct answer {
    char *text; /* borrowed, of size bytes */
    size_t size;
    size_t len;
    bool is_too_large;
};

bool
fetch_is_https(const char *url)
{
    static const char scheme[] = "https://";
    size_t len = strlen(scheme);

    return strncasecmp(url, scheme, len) == 0 && url[len] != '\0';
}

/* For libcurl: what is returned short ends the transfer. */
static size_t
take(char *bytes, size_t one, size_t count, void *ctx)
{
    struct answer *answer = ctx;
    size_t len = one * count;

    if (len > answer->size - answer->len) {
        answer->is_too_large = true;
        return 0;
    }
    memcpy(answer->text + answer->len, bytes, len);
    answer->len += len;
    return len;
}

static bool
set_trust(CURL *curl, const char *ca)
{
    if (ca == NULL)
        return true;
    return curl_easy_setopt(curl, CURLOPT_CAINFO, ca) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK;
}

/* False on no memory, or if this libcurl lacks something. */
static bool
set_up(CURL *curl, const struct fetch_options *options, char *error)
{
    return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_URL, options->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https") ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                            (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, options->timeout) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* All codings that it knows. take counts what is decoded. */
           curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT,
                            "orderconf/" PACKAGE_VERSION) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           set_trust(curl, options->ca);
}

static bool
refuse(const char *text, char *why, size_t why_size)
{
    snprintf(why, why_size, "%s", text);
    return false;
}

/* Asks, with all set up, and judges the answer. */
static bool
perform(CURL *curl, const struct answer *answer, const char *error, char *why,
        size_t why_size)
{
    CURLcode code = curl_easy_perform(curl);
    long status = 0;

    if (answer->is_too_large) {
        snprintf(why, why_size, "the answer is larger than %zu bytes",
                 answer->size);
        return false;
    }
    if (code != CURLE_OK)
        return refuse(*error != '\0' ? error : curl_easy_strerror(code), why,
                      why_size);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == HTTP_OK)
        return true;
    snprintf(why, why_size, "the server answers with status %ld", status);
    return false;
}

static struct curl_slist *
make_header(const char *accept)
{
    auto_char *line = NULL;

    if (asprintf(&line, "Accept: %s", accept) < 0) {
        line = NULL;
        return NULL;
    }
    return curl_slist_append(NULL, line);
}

bool
fetch_get(const struct fetch_options *options, char *text, size_t size,
          size_t *len_out, char *why, size_t why_size)
{
    struct answer answer = {.text = text, .size = size};
    char error[CURL_ERROR_SIZE] = "";
    struct curl_slist *header = make_header(options->accept);
    CURL *curl = curl_easy_init();
    bool is_done = false;

    if (curl == NULL || header == NULL || !set_up(curl, options, error) ||
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, header) != CURLE_OK ||
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer) != CURLE_OK)
        refuse("could not be set up", why, why_size);
    else
        is_done = perform(curl, &answer, error, why, why_size);
    curl_easy_cleanup(curl);
    curl_slist_free_all(header);
    if (is_done)
        *len_out = answer.len;
    return is_done;
}

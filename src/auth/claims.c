// SPDX-License-Identifier: MIT
#include "auth/claims.h"

#include "auth/jwt.h"

#include <string.h>

#define SECONDS_MAX 9007199254740992.0 /* 2^53: exact as a double */

/*
 * Reads a NumericDate, which may have a fraction: the first whole second that
 * is not before it. True if it is absent, too; *seconds_out is then not set.
 */
static bool
get_time(const json_t *claims, const char *name, int64_t *seconds_out)
{
    const json_t *time = json_object_get(claims, name);
    double real;

    if (json_is_integer(time)) {
        *seconds_out = json_integer_value(time);
    } else if (json_is_real(time)) {
        real = json_real_value(time);
        if (real > SECONDS_MAX || real < -SECONDS_MAX)
            return false;
        *seconds_out = (int64_t)real + (real > (double)(int64_t)real);
    }
    return time == NULL || json_is_number(time);
}

enum err
claims_check_end(const json_t *claims, int64_t now,
                 const struct clock_skew *skew, int64_t *expires_out,
                 enum auth_refusal *refusal_out)
{
    int64_t expires = 0;

    if (json_object_get(claims, "exp") == NULL ||
        !get_time(claims, "exp", &expires))
        return jwt_refuse(AUTH_CLAIM, refusal_out);
    if (__builtin_add_overflow(expires, skew->late, &expires))
        expires = INT64_MAX;
    if (now >= expires)
        return jwt_refuse(AUTH_EXPIRED, refusal_out);
    *expires_out = expires;
    return ERR_OK;
}

enum err
claims_check_start(const json_t *claims, int64_t now,
                   const struct clock_skew *skew,
                   enum auth_refusal *refusal_out)
{
    int64_t not_before = INT64_MIN, issued = INT64_MIN;

    if (!get_time(claims, "nbf", &not_before) ||
        !get_time(claims, "iat", &issued))
        return jwt_refuse(AUTH_CLAIM, refusal_out);
    if (not_before > now + skew->early || issued > now + skew->early)
        return jwt_refuse(AUTH_EARLY, refusal_out);
    return ERR_OK;
}

bool
claims_have_audience(const json_t *claims, const char *audience)
{
    const json_t *aud = json_object_get(claims, "aud");
    const json_t *member;
    size_t i;

    if (json_is_string(aud))
        return strcmp(json_string_value(aud), audience) == 0;
    json_array_foreach(aud, i, member)
    {
        if (json_is_string(member) &&
            strcmp(json_string_value(member), audience) == 0)
            return true;
    }
    return false;
}

bool
claims_have_scope(const json_t *claims, const char *scope)
{
    const char *list = json_string_value(json_object_get(claims, "scope"));
    size_t len = strlen(scope);

    while (list != NULL && *list != '\0') {
        size_t span = strcspn(list, " ");

        if (span == len && memcmp(list, scope, len) == 0)
            return true;
        list += span + strspn(list + span, " ");
    }
    return false;
}

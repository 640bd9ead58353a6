// SPDX-License-Identifier: MIT
#include "server/fcgi_record.h"

bool
fcgi_record_add_header(struct buf *out, uint8_t type, uint16_t id, size_t len,
                       uint8_t padding)
{
    uint8_t header[FCGI_HEADER_LEN] = {FCGI_VERSION_1,
                                       type,
                                       (uint8_t)(id >> 8),
                                       (uint8_t)id,
                                       (uint8_t)(len >> 8),
                                       (uint8_t)len,
                                       padding};

    return buf_add(out, header, sizeof(header));
}

bool
fcgi_record_add(struct buf *out, uint8_t type, uint16_t id, const void *content,
                size_t len)
{
    uint8_t padding = (uint8_t)(-len & 7);

    return fcgi_record_add_header(out, type, id, len, padding) &&
           (len == 0 || buf_add(out, content, len)) &&
           (padding == 0 || buf_add(out, (char[8]){0}, padding));
}

bool
fcgi_record_add_end(struct buf *out, uint16_t id, uint8_t protocol_status)
{
    uint8_t body[8] = {[4] = protocol_status};

    return fcgi_record_add(out, FCGI_END_REQUEST, id, body, sizeof(body));
}

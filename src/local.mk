# The library holds everything but the two mains, and programs and tests link
# it. A module is a line here.
noinst_LIBRARIES = liborderconf.a
liborderconf_a_SOURCES = \
	src/api/exchange.c src/api/exchange.h \
	src/api/get.c src/api/get.h \
	src/api/history.c src/api/history.h \
	src/api/list.c src/api/list.h \
	src/api/page.c src/api/page.h \
	src/api/openapi_json.inc \
	src/api/route.c src/api/route.h \
	src/api/secret.c src/api/secret.h \
	src/api/service.c src/api/service.h \
	src/api/timeline.c src/api/timeline.h \
	src/api/write.c src/api/write.h \
	src/auth/auth.c src/auth/auth.h \
	src/auth/base64url.c src/auth/base64url.h \
	src/auth/claims.c src/auth/claims.h \
	src/auth/jwk.c src/auth/jwk.h \
	src/auth/jwk_make.c src/auth/jwk_make.h \
	src/auth/jwks.c src/auth/jwks.h \
	src/auth/jwks_scan.c src/auth/jwks_scan.h \
	src/auth/jwt.c src/auth/jwt.h \
	src/auth/key_set.c src/auth/key_set.h \
	src/auth/principal.h \
	src/auth/refusal.c src/auth/refusal.h \
	src/auth/rules.c src/auth/rules.h \
	src/auth/token_cache.c src/auth/token_cache.h \
	src/auth/wanted.c src/auth/wanted.h \
	src/base/args.c src/base/args.h \
	src/base/args_file.c src/base/args_file.h \
	src/base/buf.c src/base/buf.h \
	src/base/err.c src/base/err.h \
	src/base/file.c src/base/file.h \
	src/base/file_id.c src/base/file_id.h \
	src/base/log.c src/base/log.h \
	src/base/log_queue.c src/base/log_queue.h \
	src/base/must_alloc.c src/base/must_alloc.h \
	src/base/number.c src/base/number.h \
	src/base/process.c src/base/process.h \
	src/base/timestamp.c src/base/timestamp.h \
	src/base/utf8.c src/base/utf8.h \
	src/base/util.h \
	src/conf/settings.c src/conf/settings.h \
	src/ctl/fetch.c src/ctl/fetch.h \
	src/ctl/outfile.c src/ctl/outfile.h \
	src/ctl/progress.c src/ctl/progress.h \
	src/http/fields.c \
	src/http/http.c src/http/http.h \
	src/http/problem.c src/http/problem.h \
	src/http/query.c \
	src/http/request.c \
	src/http/target.c \
	src/json/decode.c src/json/decode.h \
	src/json/messages.c src/json/messages.h \
	src/json/schema.c src/json/schema.h \
	src/json/text.c src/json/text.h \
	src/metrics/file.c \
	src/metrics/metrics.c src/metrics/metrics.h \
	src/metrics/text.c src/metrics/text.h \
	src/model/body.c src/model/body.h \
	src/model/config_keys.c src/model/config_keys.h \
	src/model/config_value.c \
	src/model/key_ring.c src/model/key_ring.h \
	src/model/seal.c src/model/seal.h \
	src/model/tenant.c src/model/tenant.h \
	src/model/uri.c src/model/uri.h \
	src/server/cgi.c src/server/cgi.h \
	src/server/conn.c src/server/conn.h \
	src/server/fcgi.c src/server/fcgi.h \
	src/server/fcgi_os.c src/server/fcgi_os.h \
	src/server/fcgi_pairs.c src/server/fcgi_pairs.h \
	src/server/fcgi_record.c src/server/fcgi_record.h \
	src/server/fcgi_scan.c src/server/fcgi_scan.h \
	src/server/listener.c src/server/listener.h \
	src/server/notify.c src/server/notify.h \
	src/server/options.c src/server/options.h \
	src/server/reload.c src/server/reload.h \
	src/server/reload_socket.c src/server/reload_socket.h \
	src/server/slot.c src/server/slot.h \
	src/server/supervisor.c src/server/supervisor.h \
	src/server/waiting.c src/server/waiting.h \
	src/server/worker.c src/server/worker.h \
	src/setting/change.c src/setting/change.h \
	src/setting/cursor.c src/setting/cursor.h \
	src/setting/etag.c src/setting/etag.h \
	src/setting/import.c src/setting/import.h \
	src/setting/jsonl.c src/setting/jsonl.h \
	src/setting/setting.c src/setting/setting.h \
	src/store/committer.c src/store/committer.h \
	src/store/judge.c src/store/judge.h \
	src/store/layout.c src/store/layout.h \
	src/store/lmdb/check.c src/store/lmdb/check.h \
	src/store/lmdb/commit.c src/store/lmdb/commit.h \
	src/store/lmdb/copy.c src/store/lmdb/copy.h \
	src/store/lmdb/create.c src/store/lmdb/create.h \
	src/store/lmdb/datafile.c src/store/lmdb/datafile.h \
	src/store/lmdb/engine.c src/store/lmdb/engine.h \
	src/store/lmdb/env.c src/store/lmdb/env.h \
	src/store/lmdb/err.c \
	src/store/lmdb/format.h \
	src/store/lmdb/history.c src/store/lmdb/history.h \
	src/store/lmdb/meta.c src/store/lmdb/meta.h \
	src/store/lmdb/pages.c src/store/lmdb/pages.h \
	src/store/lmdb/raise.c src/store/lmdb/raise.h \
	src/store/lmdb/records.c src/store/lmdb/records.h \
	src/store/lmdb/redo.c src/store/lmdb/redo.h \
	src/store/lmdb/refuse.c src/store/lmdb/refuse.h \
	src/store/lmdb/snapshot.c src/store/lmdb/snapshot.h \
	src/store/lmdb/stat.c src/store/lmdb/stat.h \
	src/store/lmdb/timeline.c src/store/lmdb/timeline.h \
	src/store/lmdb/tree.c src/store/lmdb/tree.h \
	src/store/lmdb/visit.c src/store/lmdb/visit.h \
	src/store/lmdb/write.c src/store/lmdb/write.h \
	src/store/open.c src/store/open.h \
	src/store/place.c src/store/place.h \
	src/store/record.c src/store/record.h \
	src/store/stamp.c src/store/stamp.h \
	src/store/store.c src/store/store.h

bin_PROGRAMS = orderconf
orderconf_SOURCES = \
	src/ctl/backup.c \
	src/ctl/check.c \
	src/ctl/command.c src/ctl/command.h \
	src/ctl/diff.c \
	src/ctl/export.c \
	src/ctl/get.c \
	src/ctl/history.c \
	src/ctl/import.c \
	src/ctl/interrupt.c src/ctl/interrupt.h \
	src/ctl/key_file.c src/ctl/key_file.h \
	src/ctl/keygen.c \
	src/ctl/keys_fetch.c \
	src/ctl/leftovers.c src/ctl/leftovers.h \
	src/ctl/lines.c src/ctl/lines.h \
	src/ctl/list.c \
	src/ctl/main.c \
	src/ctl/options.c src/ctl/options.h \
	src/ctl/print.c src/ctl/print.h \
	src/ctl/rekey.c \
	src/ctl/restore.c \
	src/ctl/secrets.c src/ctl/secrets.h \
	src/ctl/session.c src/ctl/session.h \
	src/ctl/set.c \
	src/ctl/setting.c src/ctl/setting.h \
	src/ctl/stat.c \
	src/ctl/store.c src/ctl/store.h \
	src/ctl/tenants.c \
	src/ctl/token.c \
	src/ctl/token_check.c \
	src/ctl/unset.c
orderconf_LDADD = $(PROGRAM_LIBS) $(CURL_LIBS)

sbin_PROGRAMS = orderconf.fcgi
orderconf_fcgi_SOURCES = src/server/main.c
orderconf_fcgi_LDADD = $(SERVICE_LIBS)

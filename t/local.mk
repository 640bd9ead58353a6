# Tests: Criterion programs that mirror src/, then end to end by Node. Both
# speak TAP.
TEST_EXTENSIONS = .mjs .sh
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
MJS_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_DRIVER = $(LOG_DRIVER)
LOG_COMPILER = $(SHELL) $(srcdir)/t/run-criterion
MJS_LOG_COMPILER = $(NODE) --test-reporter=tap
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = \
	SRCDIR='$(abs_srcdir)' BUILDDIR='$(abs_builddir)'; \
	export SRCDIR BUILDDIR;
EXTRA_DIST += \
	t/.npmrc \
	t/check-all \
	t/check-bare \
	t/check-deb \
	t/check-documented \
	t/check-seventh-key \
	t/check-upgrade \
	t/data \
	t/e2e/lib \
	t/e2e/server/threads.mjs \
	t/installed \
	t/lib/bare.sh \
	t/lib/flush_record.c \
	t/lib/refuse_memory.c \
	t/lib/seventh_key.mjs \
	t/lib/slow_flush.c \
	t/lib/tap.sh \
	t/documented_root.mjs \
	t/package-lock.json \
	t/package.json \
	t/redocly.yaml \
	t/rooms \
	t/run-criterion \
	t/soak \
	t/under-valgrind \
	t/upgrade-load.mjs \
	t/valgrind.skip \
	t/valgrind.supp \
	$(safety_tests)

if HAVE_CRITERION
check_PROGRAMS += \
	t/unit/api/coded \
	t/unit/api/etag \
	t/unit/api/get \
	t/unit/api/history \
	t/unit/api/list \
	t/unit/api/route \
	t/unit/api/secret \
	t/unit/api/secret_mask \
	t/unit/api/timeline \
	t/unit/api/unset \
	t/unit/api/write \
	t/unit/auth/auth \
	t/unit/auth/base64url \
	t/unit/auth/cache \
	t/unit/auth/forged \
	t/unit/auth/jwk \
	t/unit/auth/jwk_make \
	t/unit/auth/jwks \
	t/unit/auth/jwks_refused \
	t/unit/auth/jwks_scan \
	t/unit/auth/memory \
	t/unit/auth/signed \
	t/unit/auth/token_cache \
	t/unit/auth/wanted \
	t/unit/base/args \
	t/unit/base/args_file \
	t/unit/base/buf \
	t/unit/base/file \
	t/unit/base/log \
	t/unit/base/number \
	t/unit/base/process \
	t/unit/base/timestamp \
	t/unit/base/utf8 \
	t/unit/ctl/outfile \
	t/unit/ctl/progress \
	t/unit/http/fields \
	t/unit/http/http \
	t/unit/http/problem \
	t/unit/http/query \
	t/unit/http/request \
	t/unit/http/target \
	t/unit/json/decode \
	t/unit/json/schema \
	t/unit/json/text \
	t/unit/metrics/metrics \
	t/unit/metrics/text \
	t/unit/model/config_cases \
	t/unit/model/config_keys \
	t/unit/model/config_value \
	t/unit/model/key_ring \
	t/unit/model/seal \
	t/unit/model/seal_mask \
	t/unit/model/tenant \
	t/unit/model/uri \
	t/unit/server/conn \
	t/unit/server/fcgi \
	t/unit/server/fcgi_os \
	t/unit/server/fcgi_scan \
	t/unit/server/fcgi_scan_replies \
	t/unit/server/listener \
	t/unit/server/no_memory \
	t/unit/server/notify \
	t/unit/server/options \
	t/unit/setting/change \
	t/unit/setting/change_view \
	t/unit/setting/coded \
	t/unit/setting/cursor \
	t/unit/setting/etag \
	t/unit/setting/import \
	t/unit/setting/jsonl \
	t/unit/store/batch \
	t/unit/store/clock \
	t/unit/store/history \
	t/unit/store/layout \
	t/unit/store/lmdb/check \
	t/unit/store/lmdb/copy \
	t/unit/store/lmdb/datafile \
	t/unit/store/lmdb/engine \
	t/unit/store/lmdb/env \
	t/unit/store/lmdb/raise \
	t/unit/store/lmdb/raise_beside \
	t/unit/store/lmdb/redo \
	t/unit/store/lmdb/stat \
	t/unit/store/open \
	t/unit/store/replace \
	t/unit/store/stamp \
	t/unit/store/store \
	t/unit/store/timeline \
	t/unit/store/unset
endif

# Of what threads do. ThreadSanitizer runs them, and Criterion cannot start under it.
threads_programs = \
	t/unit/base/crash \
	t/unit/base/log_queue \
	t/unit/server/waiting \
	t/unit/store/committer \
	t/unit/store/committer_probe \
	t/unit/store/threads
check_PROGRAMS += $(threads_programs)
threads_ldadd = t/libtap.a $(SERVICE_LIBS)
t_unit_base_crash_LDADD = $(threads_ldadd)
t_unit_base_log_queue_LDADD = $(threads_ldadd)
t_unit_server_waiting_LDADD = $(threads_ldadd)
t_unit_store_committer_LDADD = $(threads_ldadd)
t_unit_store_committer_probe_LDADD = $(threads_ldadd)
t_unit_store_threads_LDADD = $(threads_ldadd)

# What tests share, with Criterion's assertions and without.
check_LIBRARIES += t/libtap.a
if HAVE_CRITERION
check_LIBRARIES += t/libtest.a
endif
t_libtap_a_SOURCES = \
	t/lib/api_world.c t/lib/api_world.h \
	t/lib/committing.c t/lib/committing.h \
	t/lib/log_sink.c t/lib/log_sink.h \
	t/lib/scratch.c t/lib/scratch.h \
	t/lib/store_mem.c t/lib/store_mem.h \
	t/lib/tap.c t/lib/tap.h \
	t/lib/write_of.c t/lib/write_of.h
t_libtest_a_SOURCES = \
	t/lib/api_secrets.c t/lib/api_secrets.h \
	t/lib/asked.c t/lib/asked.h \
	t/lib/auth_world.c t/lib/auth_world.h \
	t/lib/key_files.c t/lib/key_files.h \
	t/lib/old_store.c t/lib/old_store.h \
	t/lib/on_disk.c t/lib/on_disk.h \
	t/lib/outcome.c t/lib/outcome.h \
	t/lib/records.c t/lib/records.h \
	t/lib/ring.c t/lib/ring.h \
	t/lib/scanned.c t/lib/scanned.h \
	t/lib/seal_text.c t/lib/seal_text.h \
	t/lib/store_both.c t/lib/store_both.h \
	t/lib/tokens.c t/lib/tokens.h

# What takes the place of a library's functions. In the archive it would be linked
# into every test.
refusing = t/lib/no_memory.c t/lib/no_memory.h
no_memory = $(refusing) t/lib/no_memory_decoder.c
no_memory_flags = $(refuse_flags) -Wl,--wrap=json_loadb
gone = t/lib/gone.c t/lib/gone.h $(refusing)
gone_flags = $(refuse_flags) -Wl,--wrap=__assert_fail
refuse_flags = $(AM_LDFLAGS)
if SANITIZED
AM_CPPFLAGS += -DNO_MEMORY_WRAP
refuse_flags += -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=strdup
endif
bad_disk = t/lib/bad_disk.c t/lib/bad_disk.h
coded = t/lib/coded.c t/lib/coded.h
coded_flags = -Wl,--wrap=json_loadb -Wl,--wrap=json_dumpb \
	-Wl,--wrap=json_dumps

t_unit_api_coded_SOURCES = t/unit/api/coded.c $(coded) $(refusing)
t_unit_api_coded_LDFLAGS = $(refuse_flags) $(coded_flags)
t_unit_api_etag_SOURCES = t/unit/api/etag.c $(no_memory)
t_unit_api_etag_LDFLAGS = $(no_memory_flags)
t_unit_api_get_SOURCES = t/unit/api/get.c $(no_memory)
t_unit_api_get_LDFLAGS = $(no_memory_flags)
t_unit_api_history_SOURCES = t/unit/api/history.c $(no_memory)
t_unit_api_history_LDFLAGS = $(no_memory_flags)
t_unit_api_list_SOURCES = t/unit/api/list.c $(no_memory)
t_unit_api_list_LDFLAGS = $(no_memory_flags)
t_unit_api_route_SOURCES = t/unit/api/route.c $(no_memory)
t_unit_api_route_LDFLAGS = $(no_memory_flags)
t_unit_api_secret_SOURCES = t/unit/api/secret.c $(no_memory)
t_unit_api_secret_LDFLAGS = $(no_memory_flags)
t_unit_api_secret_mask_SOURCES = t/unit/api/secret_mask.c $(no_memory)
t_unit_api_secret_mask_LDFLAGS = $(no_memory_flags)
t_unit_api_timeline_SOURCES = t/unit/api/timeline.c $(no_memory)
t_unit_api_timeline_LDFLAGS = $(no_memory_flags)
t_unit_api_unset_SOURCES = t/unit/api/unset.c $(no_memory)
t_unit_api_unset_LDFLAGS = $(no_memory_flags)
t_unit_api_write_SOURCES = t/unit/api/write.c $(no_memory)
t_unit_api_write_LDFLAGS = $(no_memory_flags)
t_unit_auth_memory_SOURCES = t/unit/auth/memory.c $(gone)
t_unit_auth_memory_LDFLAGS = $(gone_flags)
t_unit_base_buf_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
t_unit_http_problem_SOURCES = t/unit/http/problem.c $(no_memory)
t_unit_http_problem_LDFLAGS = $(no_memory_flags)
t_unit_http_query_SOURCES = t/unit/http/query.c $(no_memory)
t_unit_http_query_LDFLAGS = $(no_memory_flags)
t_unit_http_request_SOURCES = t/unit/http/request.c $(no_memory)
t_unit_http_request_LDFLAGS = $(no_memory_flags)
t_unit_json_text_SOURCES = t/unit/json/text.c $(no_memory)
t_unit_json_text_LDFLAGS = $(no_memory_flags)
t_unit_metrics_text_SOURCES = t/unit/metrics/text.c $(no_memory)
t_unit_metrics_text_LDFLAGS = $(no_memory_flags)
t_unit_model_config_cases_SOURCES = t/unit/model/config_cases.c $(no_memory)
t_unit_model_config_value_SOURCES = t/unit/model/config_value.c $(no_memory)
t_unit_model_config_cases_LDFLAGS = $(no_memory_flags)
t_unit_model_config_value_LDFLAGS = $(no_memory_flags)
t_unit_model_key_ring_SOURCES = t/unit/model/key_ring.c $(no_memory)
t_unit_model_key_ring_LDFLAGS = $(no_memory_flags)
t_unit_model_seal_SOURCES = t/unit/model/seal.c $(no_memory)
t_unit_model_seal_LDFLAGS = $(no_memory_flags)
t_unit_server_fcgi_SOURCES = t/unit/server/fcgi.c $(no_memory)
t_unit_server_fcgi_LDFLAGS = $(no_memory_flags)
t_unit_server_fcgi_os_SOURCES = t/unit/server/fcgi_os.c $(no_memory)
t_unit_server_fcgi_os_LDFLAGS = $(no_memory_flags)
t_unit_server_no_memory_SOURCES = t/unit/server/no_memory.c $(gone)
t_unit_server_no_memory_LDFLAGS = $(gone_flags)
t_unit_setting_change_SOURCES = t/unit/setting/change.c $(no_memory)
t_unit_setting_change_LDFLAGS = $(no_memory_flags)
t_unit_setting_coded_SOURCES = t/unit/setting/coded.c $(coded)
t_unit_setting_coded_LDFLAGS = $(AM_LDFLAGS) $(coded_flags)
t_unit_setting_etag_SOURCES = t/unit/setting/etag.c $(no_memory)
t_unit_setting_etag_LDFLAGS = $(no_memory_flags)
t_unit_store_lmdb_env_SOURCES = t/unit/store/lmdb/env.c $(bad_disk)
t_unit_store_lmdb_raise_SOURCES = t/unit/store/lmdb/raise.c $(bad_disk)
t_unit_store_lmdb_redo_SOURCES = t/unit/store/lmdb/redo.c $(bad_disk)
t_unit_store_threads_SOURCES = t/unit/store/threads.c $(bad_disk)

dist_check_SCRIPTS = \
	t/e2e/api/contract.mjs \
	t/e2e/api/etags.mjs \
	t/e2e/api/examples.mjs \
	t/e2e/api/history.mjs \
	t/e2e/api/list.mjs \
	t/e2e/api/negotiation.mjs \
	t/e2e/api/openapi.mjs \
	t/e2e/api/races.mjs \
	t/e2e/api/secrets.mjs \
	t/e2e/api/timeline.mjs \
	t/e2e/api/validate_only.mjs \
	t/e2e/api/versions.mjs \
	t/e2e/api/webhook_schemes.mjs \
	t/e2e/auth/keys_wanted.mjs \
	t/e2e/auth/tokens.mjs \
	t/e2e/ctl/backup.mjs \
	t/e2e/ctl/check.mjs \
	t/e2e/ctl/completion.mjs \
	t/e2e/ctl/keys.mjs \
	t/e2e/ctl/keys_fetch.mjs \
	t/e2e/ctl/live.mjs \
	t/e2e/ctl/secrets.mjs \
	t/e2e/ctl/settings.mjs \
	t/e2e/ctl/settings_file.mjs \
	t/e2e/ctl/token_check.mjs \
	t/e2e/ctl/transfer.mjs \
	t/e2e/ctl/usage.mjs \
	t/e2e/deploy/bootstrap.mjs \
	t/e2e/deploy/dashboard.mjs \
	t/e2e/deploy/documented.mjs \
	t/e2e/deploy/manual.mjs \
	t/e2e/deploy/systemd.mjs \
	t/e2e/front/apache_cgi.mjs \
	t/e2e/front/apache_fcgid.mjs \
	t/e2e/front/apache_proxy_fcgi.mjs \
	t/e2e/front/deployment.mjs \
	t/e2e/front/http.mjs \
	t/e2e/front/lighttpd.mjs \
	t/e2e/front/nginx.mjs \
	t/e2e/front/nginx_spawn_fcgi.mjs \
	t/e2e/front/nginx_systemd.mjs \
	t/e2e/front/paths.mjs \
	t/e2e/server/cgi.mjs \
	t/e2e/server/fastcgi.mjs \
	t/e2e/server/health.mjs \
	t/e2e/server/logs.mjs \
	t/e2e/server/metrics.mjs \
	t/e2e/server/no_memory.mjs \
	t/e2e/server/pids.mjs \
	t/e2e/server/pipelined.mjs \
	t/e2e/server/processes.mjs \
	t/e2e/server/reload.mjs \
	t/e2e/server/settings_file.mjs \
	t/e2e/server/stalled_log.mjs

# What must hold of the sources themselves.
dist_noinst_SCRIPTS = \
	t/test_banned.sh \
	t/test_format.sh \
	t/test_install.sh \
	t/test_rooms.sh

TESTS = $(check_PROGRAMS) $(dist_noinst_SCRIPTS)
if HAVE_NODE
TESTS += $(dist_check_SCRIPTS)
endif

# All that ./bootstrap check runs.
check-all: $(BUILT_SOURCES)
	SRCDIR='$(abs_srcdir)' $(srcdir)/t/check-all
# The same on a bare Debian 12: an hour, as root. And what of it check-all runs.
check-bare:
	SRCDIR='$(abs_srcdir)' $(srcdir)/t/check-bare all
# Root's commands in the documentation: some minutes, as root.
check-documented: all
	SRCDIR='$(abs_srcdir)' BUILDDIR='$(abs_builddir)' NODE='$(NODE)' \
		$(srcdir)/t/check-documented
check-seventh-key:
	SRCDIR='$(abs_srcdir)' NODE='$(NODE)' $(srcdir)/t/check-seventh-key
check-bare-units:
	SRCDIR='$(abs_srcdir)' $(srcdir)/t/check-bare
.PHONY: check-documented check-all check-bare check-bare-units check-seventh-key

# Where threads meet, by ThreadSanitizer, in a build of its own.
check-threads: orderconf.fcgi
	$(MAKE) $(AM_MAKEFLAGS) $(threads_programs)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS check_PROGRAMS= \
		TESTS='t/e2e/server/threads.mjs $(threads_programs)'
check-tsan: $(BUILT_SOURCES)
	$(MKDIR_P) tsan
	test -f tsan/config.status || (cd tsan && \
		$(abs_srcdir)/configure -q --with-sanitizers=thread)
	$(MAKE) -C tsan check-threads

# Both programs under valgrind, as end-to-end tests use them, and the programs
# of threads. In ./valgrind are those that run the programs so.
valgrind_tests = \
	t/e2e/api/contract.mjs \
	t/e2e/api/history.mjs \
	t/e2e/api/list.mjs \
	t/e2e/api/timeline.mjs \
	t/e2e/api/versions.mjs \
	t/e2e/auth/tokens.mjs \
	t/e2e/server/fastcgi.mjs
check-valgrind: all $(threads_programs)
	$(SHELL) $(srcdir)/t/under-valgrind make
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS check_PROGRAMS= \
		TESTS='$(valgrind_tests)' AM_TESTS_ENVIRONMENT="export \
		SRCDIR='$(abs_srcdir)' BUILDDIR='$(abs_builddir)/valgrind';"
	$(SHELL) $(srcdir)/t/under-valgrind report
	VALGRIND=valgrind $(MAKE) $(AM_MAKEFLAGS) check-TESTS check_PROGRAMS= \
		TESTS='$(threads_programs)'

# The unit tests under valgrind, but for those of t/valgrind.skip. Criterion starts
# a program for each test, which takes valgrind a second or two: some 20 minutes.
check-valgrind-units: $(check_PROGRAMS)
	VALGRIND=valgrind $(MAKE) $(AM_MAKEFLAGS) check-TESTS \
		TESTS='$(check_PROGRAMS)'
.PHONY: check-threads check-tsan check-valgrind check-valgrind-units

# What the safety tests need beside the service.
safety_needs = \
	t/crash_images$(EXEEXT) \
	t/lib/flush_record.so \
	t/lib/slow_flush.so \
	t/older.fcgi$(EXEEXT) \
	t/store_dump$(EXEEXT)
EXTRA_PROGRAMS += \
	t/crash_images \
	t/older.fcgi \
	t/store_dump
# The service as far as it knows stores of format 1 only: what names the format
# is its own.
t_older_fcgi_SOURCES = src/server/main.c \
	src/store/lmdb/commit.c src/store/lmdb/create.c \
	src/store/lmdb/meta.c src/store/lmdb/raise.c
t_older_fcgi_CPPFLAGS = $(AM_CPPFLAGS) -DLMDB_META_FORMAT=1
t_older_fcgi_LDADD = $(SERVICE_LIBS)
t_crash_images_SOURCES = t/crash_images.c \
	t/lib/crash_disk.c t/lib/crash_disk.h \
	t/lib/flush_record.h \
	t/lib/promises.c t/lib/promises.h
t_crash_images_LDADD = $(PROGRAM_LIBS)
t_store_dump_SOURCES = t/store_dump.c
t_store_dump_LDADD = $(PROGRAM_LIBS)

t/lib/slow_flush.so: t/lib/slow_flush.c
	$(AM_V_CC)$(MKDIR_P) t/lib
	$(AM_V_at)$(CC) $(AM_CPPFLAGS) -std=gnu11 $(WARN_CFLAGS) -O2 -fPIC \
		-shared -o $@ $(srcdir)/t/lib/slow_flush.c -ldl

# Never with a sanitizer: it is loaded into whatever the service is.
t/lib/flush_record.so: t/lib/flush_record.c t/lib/flush_record.h
	$(AM_V_CC)$(MKDIR_P) t/lib
	$(AM_V_at)$(CC) $(AM_CPPFLAGS) -std=gnu11 $(WARN_CFLAGS) $(CFLAGS) \
		-fPIC -shared -o $@ $(srcdir)/t/lib/flush_record.c -ldl

# What t/e2e/server/no_memory.mjs loads into both programs.
if HAVE_NODE
check_DATA = t/lib/refuse_memory.so
endif
t/lib/refuse_memory.so: t/lib/refuse_memory.c
	$(AM_V_CC)$(MKDIR_P) t/lib
	$(AM_V_at)$(CC) $(AM_CPPFLAGS) -std=gnu11 $(WARN_CFLAGS) -O2 -fPIC \
		-shared -o $@ $(srcdir)/t/lib/refuse_memory.c

# make check-safety: what is promised, put to the test. Minutes, not seconds.
safety_tests = \
	t/e2e/server/drain.mjs \
	t/e2e/server/hostile.mjs \
	t/e2e/store/bad_files.mjs \
	t/e2e/store/full.mjs \
	t/e2e/store/kill.mjs \
	t/e2e/store/power_loss.mjs \
	t/e2e/store/upgrade.mjs
check-safety: all
	$(MAKE) $(AM_MAKEFLAGS) $(safety_needs)
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(safety_tests)'
.PHONY: check-safety

# make soak [MINUTES=30] [SOAK=5] [SEED=1]: the safety tests, at length.
soak: all
	$(MAKE) $(AM_MAKEFLAGS) $(safety_needs)
	SRCDIR='$(abs_srcdir)' BUILDDIR='$(abs_builddir)' \
		$(SHELL) $(srcdir)/t/soak $(NODE)
.PHONY: soak

CLEANFILES += $(EXTRA_PROGRAMS) \
	t/lib/flush_record.so \
	t/lib/refuse_memory.so \
	t/lib/slow_flush.so

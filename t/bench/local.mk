# make bench [BENCH="get post"] [BENCH_SECONDS=2]: figures side by side, in a
# table, and raw in bench-results.json.
bench_programs = \
	t/bench/bare_fcgi \
	t/bench/load \
	t/bench/null_fcgi \
	t/bench/orderconf_inline.fcgi \
	t/bench/timer
EXTRA_PROGRAMS += $(bench_programs)
t_bench_bare_fcgi_SOURCES = t/bench/bare_fcgi.c
t_bench_bare_fcgi_LDADD =
t_bench_load_SOURCES = t/bench/load.c
t_bench_load_LDADD = $(PROGRAM_LIBS)
t_bench_orderconf_inline_fcgi_SOURCES = src/server/main.c \
	t/bench/inline_committer.c
t_bench_orderconf_inline_fcgi_LDADD = $(SERVICE_LIBS)
t_bench_timer_SOURCES = t/bench/timer.c
t_bench_timer_LDADD =
t_bench_null_fcgi_SOURCES = t/bench/null_fcgi.c
t_bench_null_fcgi_LDADD = $(FCGI_LIBS)

EXTRA_DIST += \
	t/bench/bench.mjs \
	t/bench/express/.npmrc \
	t/bench/express/package-lock.json \
	t/bench/express/package.json \
	t/bench/express/server.mjs \
	t/bench/lib \
	t/bench/parts
CLEANFILES += bench-results.json bench-tokens-*

.PHONY: bench
# What it needs after all, not beside it: all is a make of its own, and both
# would make the library.
bench: all
	$(MAKE) $(AM_MAKEFLAGS) $(bench_programs) t/lib/slow_flush.so
	SRCDIR='$(abs_srcdir)' BUILDDIR='$(abs_builddir)' \
		$(NODE) $(srcdir)/t/bench/bench.mjs $(BENCH)

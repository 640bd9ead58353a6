# Fuzz targets. Without a fuzzer, they replay their corpora; FUZZ_MAIN is
# another for the build that make fuzz makes for itself.
fuzz_targets = \
	t/fuzz/body \
	t/fuzz/fcgi \
	t/fuzz/fields \
	t/fuzz/keys \
	t/fuzz/lines \
	t/fuzz/record \
	t/fuzz/seal \
	t/fuzz/target \
	t/fuzz/token
FUZZ_MAIN = t/fuzz/libreplay.a
FUZZ_SECONDS = 60
fuzz_ldadd = $(FUZZ_MAIN) $(SERVICE_LIBS)
check_PROGRAMS += $(fuzz_targets)
EXTRA_DIST += \
	$(fuzz_targets:=.dict) \
	t/fuzz/corpus \
	t/fuzz/run
check_LIBRARIES += t/fuzz/libreplay.a
t_fuzz_libreplay_a_SOURCES = t/fuzz/replay.c t/fuzz/fuzz.h
t_fuzz_body_LDADD = $(fuzz_ldadd)
t_fuzz_fcgi_LDADD = $(fuzz_ldadd)
t_fuzz_fields_LDADD = $(fuzz_ldadd)
t_fuzz_keys_LDADD = $(fuzz_ldadd)
t_fuzz_keys_SOURCES = t/fuzz/keys.c t/fuzz/file.h t/fuzz/no_log.c
t_fuzz_lines_LDADD = $(fuzz_ldadd)
t_fuzz_record_LDADD = $(fuzz_ldadd)
t_fuzz_seal_LDADD = $(fuzz_ldadd)
t_fuzz_target_LDADD = $(fuzz_ldadd)
t_fuzz_token_LDADD = $(fuzz_ldadd)
t_fuzz_token_SOURCES = t/fuzz/token.c t/fuzz/file.h t/fuzz/no_log.c

# make fuzz [FUZZ_SECONDS=60] [FUZZ_TARGETS="t/fuzz/body …"]
FUZZ_TARGETS = $(fuzz_targets)
fuzz: $(BUILT_SOURCES)
	$(SHELL) $(srcdir)/t/fuzz/run $(abs_srcdir) $(FUZZ_SECONDS) \
		$(FUZZ_TARGETS)
.PHONY: fuzz

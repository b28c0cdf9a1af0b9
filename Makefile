# countersign: `make demo` shows it, `make test` tests it, `make install` installs it.

CARGO   ?= cargo
DESTDIR ?=
PREFIX  ?= /usr
# Where this distribution keeps its PAM modules: beside pam_unix.so.
ARCH    := $(shell cc -print-multiarch 2>/dev/null)
PAM_DIR ?= $(patsubst %/,%,$(dir $(firstword $(wildcard \
	/usr/lib/$(ARCH)/security/pam_unix.so /lib/$(ARCH)/security/pam_unix.so \
	/usr/lib64/security/pam_unix.so /usr/lib/security/pam_unix.so))))

PAGES   := $(notdir $(wildcard docs/man/*))
MAN_DIR  = $(DESTDIR)$(PREFIX)/share/man
UNITS   := $(notdir $(wildcard packaging/systemd/*))
UNIT_DIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
# The stack that is nobody's but ours; the others are examples.
OWN_STACK := pam.d/countersign

TARGET  := $(or $(CARGO_TARGET_DIR),target)
MODULE  := $(TARGET)/release/libpam_countersign.so
COMMAND := $(TARGET)/release/countersign

.PHONY: help build prepare demo test check bench compare fuzz miri soak install uninstall clean

help:
	@echo 'make demo           show a guarded ssh login in a container (KEEP=1 leaves it up)'
	@echo 'make test           run all tests'
	@echo 'make check          formatting, clippy, dependencies'
	@echo 'make bench          how long a code takes, by the files and by the service: docs/benchmarks.md, docs/benchmarks-list.md'
	@echo 'make compare        the same steps against the modules of Debian: docs/comparison.md'
	@echo 'make fuzz           fuzz what reads text and decides (SECONDS=60 a target, TARGETS=)'
	@echo 'make miri           the rules under Miri, which notices undefined behaviour (nightly)'
	@echo 'make soak           races, kills, power cuts and decisions in full: hours (DECISIONS=)'
	@echo 'make build          build the module and the command'
	@echo 'make install        install them (DESTDIR=, PREFIX=, PAM_DIR=)'
	@echo 'make uninstall      remove them; what is in /var/lib/countersign stays'

# Built apart: together with the rlib the module would lose link-time optimisation.
build:
	packaging/prepare build
	$(CARGO) build --locked --release --bin countersign
	$(CARGO) rustc --locked --release --lib --crate-type cdylib

# What building and testing need from Debian's packages.
prepare:
	packaging/prepare test

demo: prepare
	$(MAKE) build
	$(CARGO) build --locked --example demo
	KEEP=$(KEEP) $(TARGET)/debug/examples/demo

test: prepare
	$(MAKE) build
	tests/run

check: prepare
	packaging/check

# As root: it boots a Debian machine. What is measured is the released module, whoever starts it.
bench: prepare
	$(MAKE) build
	$(CARGO) build --locked --examples
	$(CARGO) bench --locked --profile dev --bench doors -- $(CURDIR)/docs/benchmarks.md
	COUNTERSIGN_COMMAND=$(abspath $(COMMAND)) \
		$(CARGO) bench --locked --profile dev --bench list -- $(CURDIR)/docs/benchmarks-list.md

# As root: it boots a Debian machine.
compare: prepare
	$(MAKE) build
	$(CARGO) build --locked --examples
	$(TARGET)/debug/examples/compare docs/comparison.md

SECONDS ?= 60
TARGETS ?=

fuzz: prepare
	fuzz/run $(SECONDS) $(TARGETS)

# Needs a nightly toolchain with the component miri. Slots of 4096 bytes take it hours: SLOTS=1 adds them.
miri:
	MIRIFLAGS=-Zmiri-disable-isolation $(CARGO) +nightly miri test --locked --lib -- \
		user:: otp:: credential:: policy:: config:: verifier:: enrol:: login:: $(if $(SLOTS),,--skip slot::)

DECISIONS ?= 10000000

soak: prepare
	$(MAKE) build
	tests/soak $(DECISIONS)

install:
	@test -n '$(PAM_DIR)' || { echo 'cannot find pam_unix.so: name its directory with PAM_DIR=' >&2; exit 1; }
	@test -f $(MODULE) -a -f $(COMMAND) || { echo 'nothing is built yet: run make build' >&2; exit 1; }
	install -D -m 0644 $(MODULE) '$(DESTDIR)$(PAM_DIR)/pam_countersign.so'
	install -D -m 0755 $(COMMAND) '$(DESTDIR)$(PREFIX)/bin/countersign'
	for page in $(PAGES); do \
		install -D -m 0644 -t '$(MAN_DIR)'/man"$${page##*.}" "docs/man/$$page" || exit 1; \
	done
	install -D -m 0644 -t '$(DESTDIR)$(PREFIX)/share/doc/countersign/pam.d' \
		$(filter-out $(OWN_STACK),$(wildcard pam.d/*))
	install -D -m 0644 -t '$(DESTDIR)$(PREFIX)/share/doc/countersign' docs/json.md docs/countersign.schema.json
	test -e '$(DESTDIR)/etc/$(OWN_STACK)' || install -D -m 0644 $(OWN_STACK) '$(DESTDIR)/etc/$(OWN_STACK)'
	install -d '$(UNIT_DIR)'
	for unit in $(UNITS); do \
		sed 's|^ExecStart=/usr/bin/|ExecStart=$(PREFIX)/bin/|' "packaging/systemd/$$unit" >'$(UNIT_DIR)'/"$$unit" \
		&& chmod 0644 '$(UNIT_DIR)'/"$$unit" || exit 1; \
	done
	install -d -m 0700 '$(DESTDIR)/var/lib/countersign' \
		'$(DESTDIR)/var/lib/countersign/users' '$(DESTDIR)/var/lib/countersign/by-uid'

uninstall:
	@! grep -ls '^[^#]*pam_countersign' $(DESTDIR)/etc/pam.d/* \
		|| { echo 'these files still call the module: remove its lines first, or nobody can log in' >&2; exit 1; }
	rm -f '$(DESTDIR)$(PAM_DIR)/pam_countersign.so' '$(DESTDIR)$(PREFIX)/bin/countersign'
	for page in $(PAGES); do rm -f '$(MAN_DIR)'/man"$${page##*.}/$$page"; done
	rm -rf '$(DESTDIR)$(PREFIX)/share/doc/countersign'
	for unit in $(UNITS); do rm -f '$(UNIT_DIR)'/"$$unit"; done
	# One that an administrator has changed is his.
	! cmp -s $(OWN_STACK) '$(DESTDIR)/etc/$(OWN_STACK)' || rm -f '$(DESTDIR)/etc/$(OWN_STACK)'

clean:
	$(CARGO) clean

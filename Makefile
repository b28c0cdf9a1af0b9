# countersign: `make demo` shows it, `make test` tests it, `make install` installs it.

CARGO   ?= cargo
DESTDIR ?=
PREFIX  ?= /usr
# Where this distribution keeps its PAM modules: beside pam_unix.so.
ARCH    ?= $(shell cc -print-multiarch 2>/dev/null)
PAM_DIR ?= $(patsubst %/,%,$(dir $(firstword $(wildcard \
	/usr/lib/$(ARCH)/security/pam_unix.so /lib/$(ARCH)/security/pam_unix.so \
	/usr/lib64/security/pam_unix.so /usr/lib/security/pam_unix.so))))

PAGES   := $(notdir $(wildcard docs/man/*))
MAN_DIR  = $(DESTDIR)$(PREFIX)/share/man
BASH_COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
# Debian's zsh looks in a directory of its own.
ZSH_DIR ?= $(PREFIX)/share/zsh/$(if $(wildcard /usr/share/zsh/vendor-completions),vendor-completions,site-functions)
ZSH_COMPLETIONS  = $(DESTDIR)$(ZSH_DIR)
FISH_COMPLETIONS = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
UNITS   := $(notdir $(wildcard packaging/systemd/*))
UNIT_DIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
TMPFILES_DIR = $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
# The stack that is nobody's but ours; the others are examples.
OWN_STACK := pam.d/countersign

TARGET  := $(or $(CARGO_TARGET_DIR),target)
MODULE  := $(TARGET)/module/libpam_countersign.so
COMMAND := $(TARGET)/release/countersign
# What writes manual pages and completions: the command, or, where that was built for another kind of
# machine, one of the same version that runs here.
COMMAND_HERE ?= $(COMMAND)
BUILT    = '$(abspath $(MODULE))' '$(abspath $(COMMAND))' '$(abspath $(COMMAND_HERE))'
# Where packages and releases go.
DIST    ?= dist
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# What `make install` leaves to whoever makes a package, and how it lies in this directory: the policy
# as comments, fail2ban's filter, AppArmor's abstractions. Nothing of it is in force by itself.
CONFIGURATION := \
	/etc/security/countersign.toml=packaging/countersign.toml \
	/etc/fail2ban/filter.d/countersign.conf=packaging/fail2ban/filter.d/countersign.conf \
	/etc/fail2ban/jail.d/countersign.conf=packaging/fail2ban/jail.d/countersign.conf \
	/etc/apparmor.d/abstractions/countersign=packaging/apparmor/abstractions/countersign \
	/etc/apparmor.d/abstractions/countersign-store=packaging/apparmor/abstractions/countersign-store

.PHONY: help build prepare demo test check mutants bench compare picture fuzz miri soak install install-configuration uninstall \
	version deb rpm dist reproducible clean

help:
	@echo 'make demo           show a guarded ssh login in a container (KEEP=1 leaves it up)'
	@echo 'make test           run all tests'
	@echo 'make check          formatting, clippy, dependencies'
	@echo 'make mutants        make one fault at a time, and see that a test notices it (ONLY=)'
	@echo 'make bench          how long a login takes, beside the modules of Debian: docs/benchmarks*.md'
	@echo 'make compare        the same steps against the modules of Debian: docs/comparison.md'
	@echo 'make picture        what is seen on a terminal: docs/terminal.svg'
	@echo 'make fuzz           fuzz what reads text and decides (SECONDS=60 a target, TARGETS=)'
	@echo 'make miri           the rules under Miri, which notices undefined behaviour (nightly)'
	@echo 'make soak           races, kills, power cuts and decisions in full: hours (DECISIONS=)'
	@echo 'make build          build the module and the command'
	@echo 'make install        install them (DESTDIR=, PREFIX=, PAM_DIR=, ZSH_DIR=; COMMAND_HERE= after a cross build)'
	@echo 'make install-configuration'
	@echo '                    also the policy as comments, and what fail2ban and AppArmor take'
	@echo 'make uninstall      remove them; what is in /var/lib/countersign stays'
	@echo 'make deb, make rpm  packages of what is built, in dist/ (DIST=)'
	@echo 'make dist           a release in dist/: source, packages, list of parts, checksums'
	@echo 'make reproducible   make that twice, in two places, and compare: minutes'

# No path of this machine gets into what is built, so that a release is the same wherever it is made.
REMAPPED = --remap-path-prefix=$(CURDIR)=countersign --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo

# Built apart: together with the rlib the module would lose link-time optimisation.
build: export RUSTFLAGS := $(strip $(RUSTFLAGS) $(REMAPPED))
build:
	packaging/prepare build
	$(CARGO) build --locked --release --bin countersign
	$(CARGO) rustc --locked --profile module --lib --crate-type cdylib

# What building and testing need from Debian's packages.
prepare:
	packaging/prepare test

demo: prepare
	$(MAKE) build
	$(CARGO) build --locked --example demo
	KEEP=$(KEEP) $(TARGET)/debug/examples/demo

test: prepare
	$(MAKE) build
	$(MAKE) deb rpm
	tests/run

check: prepare
	packaging/check

ONLY ?=

# In a copy of the tree, target/mutants. ONLY= is a part of what is said of a fault.
mutants: prepare
	$(CARGO) build --locked --example mutants
	$(TARGET)/debug/examples/mutants '$(ONLY)'

# As root: it boots a Debian machine. What is measured is the released module, whoever starts it.
bench: prepare
	$(MAKE) build
	$(CARGO) build --locked --examples
	$(CARGO) bench --locked --profile dev --bench login -- $(CURDIR)/docs/benchmarks.md $(CURDIR)/docs/benchmarks.svg
	$(CARGO) bench --locked --profile dev --bench doors -- $(CURDIR)/docs/benchmarks-service.md
	COUNTERSIGN_COMMAND=$(abspath $(COMMAND)) \
		$(CARGO) bench --locked --profile dev --bench list -- $(CURDIR)/docs/benchmarks-list.md
	COUNTERSIGN_MODULE=$(abspath $(MODULE)) \
		$(CARGO) bench --locked --profile dev --bench refusals -- $(CURDIR)/docs/benchmarks-refusals.md
	$(CARGO) bench --locked --bench core

# As root: it boots a Debian machine.
compare: prepare
	$(MAKE) build
	$(CARGO) build --locked --examples
	$(TARGET)/debug/examples/compare docs/comparison.md

# As root: it boots a Debian machine.
picture: prepare
	$(MAKE) build
	$(CARGO) build --locked --example picture
	$(TARGET)/debug/examples/picture docs/terminal.svg

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
	# Generated by the command itself, so that they say what it takes.
	$(COMMAND_HERE) man-pages '$(MAN_DIR)/man1'
	chmod 0644 '$(MAN_DIR)'/man1/countersign-*.1
	install -d '$(BASH_COMPLETIONS)' '$(ZSH_COMPLETIONS)' '$(FISH_COMPLETIONS)'
	$(COMMAND_HERE) completions bash >'$(BASH_COMPLETIONS)/countersign'
	$(COMMAND_HERE) completions zsh >'$(ZSH_COMPLETIONS)/_countersign'
	$(COMMAND_HERE) completions fish >'$(FISH_COMPLETIONS)/countersign.fish'
	chmod 0644 '$(BASH_COMPLETIONS)/countersign' '$(ZSH_COMPLETIONS)/_countersign' '$(FISH_COMPLETIONS)/countersign.fish'
	install -D -m 0644 -t '$(DESTDIR)$(PREFIX)/share/doc/countersign/pam.d' \
		$(filter-out $(OWN_STACK),$(wildcard pam.d/*))
	install -D -m 0644 -t '$(DESTDIR)$(PREFIX)/share/doc/countersign' \
		docs/json.md docs/countersign.schema.json packaging/countersign.toml
	test -e '$(DESTDIR)/etc/$(OWN_STACK)' || install -D -m 0644 $(OWN_STACK) '$(DESTDIR)/etc/$(OWN_STACK)'
	install -d '$(UNIT_DIR)'
	for unit in $(UNITS); do \
		sed 's|^ExecStart=/usr/bin/|ExecStart=$(PREFIX)/bin/|' "packaging/systemd/$$unit" >'$(UNIT_DIR)'/"$$unit" \
		&& chmod 0644 '$(UNIT_DIR)'/"$$unit" || exit 1; \
	done
	install -D -m 0644 packaging/tmpfiles.conf '$(TMPFILES_DIR)/countersign.conf'
	# As that file says, for as long as this machine is not started again.
	install -d -m 0700 '$(DESTDIR)/var/lib/countersign' \
		'$(DESTDIR)/var/lib/countersign/users' '$(DESTDIR)/var/lib/countersign/by-uid'

# What an administrator has put there is left as it is.
install-configuration:
	for both in $(CONFIGURATION); do \
		to="$(DESTDIR)$${both%%=*}"; \
		test -e "$$to" || install -D -m 0644 "$${both#*=}" "$$to" || exit 1; \
	done

uninstall:
	@packaging/callers '$(DESTDIR)' '$(PREFIX)/bin/countersign' || { \
		echo 'cannot uninstall while a line of PAM calls the module, or where that cannot be told: every login by it would be denied' >&2; \
		echo 'hint: remove its lines first' >&2; exit 1; }
	rm -f '$(DESTDIR)$(PAM_DIR)/pam_countersign.so' '$(DESTDIR)$(PREFIX)/bin/countersign'
	for page in $(PAGES); do rm -f '$(MAN_DIR)'/man"$${page##*.}/$$page"; done
	rm -f '$(MAN_DIR)'/man1/countersign-*.1
	rm -f '$(BASH_COMPLETIONS)/countersign' '$(ZSH_COMPLETIONS)/_countersign' '$(FISH_COMPLETIONS)/countersign.fish'
	rm -rf '$(DESTDIR)$(PREFIX)/share/doc/countersign'
	for unit in $(UNITS); do rm -f '$(UNIT_DIR)'/"$$unit"; done
	rm -f '$(TMPFILES_DIR)/countersign.conf'
	rmdir '$(TMPFILES_DIR)' 2>/dev/null || true
	# The store goes where nobody has ever enrolled.
	cd '$(DESTDIR)/var/lib' && rmdir countersign/users countersign/by-uid countersign 2>/dev/null || true
	# What an administrator has changed is his.
	for both in '/etc/$(OWN_STACK)=$(OWN_STACK)' $(CONFIGURATION); do \
		was="$(DESTDIR)$${both%%=*}"; \
		! cmp -s "$${both#*=}" "$$was" || rm -f "$$was"; \
	done

version:
	@echo '$(VERSION)'

# From what is built, by `make install`: so all of them have the same files.
deb:
	packaging/prepare deb
	packaging/deb '$(abspath $(DIST))' $(BUILT)

rpm:
	packaging/prepare rpm
	packaging/rpm '$(abspath $(DIST))' $(BUILT)

dist: build
	packaging/prepare deb
	packaging/prepare rpm
	packaging/dist '$(abspath $(DIST))' $(BUILT)

reproducible:
	packaging/reproducible

clean:
	$(CARGO) clean

# Portico's front desk. `make help` lists what there is.
#
# Builds go through cargo and npm; this file only knows the order. Tests bring their own daemons
# (tests/README.md). Nothing here needs root but `make test`.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build web test unit check bench clean always

# What `make run` starts; see [profile.demo] in Cargo.toml.
DEMO := target/demo/portico
# Further arguments for `make run`, for example ARGS="--listen 127.0.0.1:9000".
ARGS :=

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

run: web ## build what is needed and start a demonstration; prints an address and a sign-in link
	@scripts/preflight.sh cargo cc
	@cargo build --profile demo --package portico
	@exec $(DEMO) demo $(ARGS)

build: web ## build the binary for production: target/release/portico
	@scripts/preflight.sh cargo cc
	cargo build --release --package portico

web: web/node_modules/.built ## build the browser's part (styles and scripts)

# Up to date when nothing under web/ changed since and its output is still there.
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

web/node_modules/.built: web/node_modules/.installed $(WEB_SOURCES) $(if $(wildcard web/dist/*),,always)
	@npm --prefix web run --silent build
	@touch $@

web/node_modules/.installed: web/package-lock.json
	@scripts/preflight.sh node npm
	@echo "installing the browser part's build tools"
	@npm --prefix web ci --no-audit --no-fund --loglevel=error
	@touch $@

test: web ## install and start what the tests need, run all of them, print the count (as root)
	@scripts/preflight.sh cargo cc node npm
	@tests/run.sh all

unit: ## run the tests that need no daemon (as anyone); others skip themselves and say so
	@scripts/preflight.sh cargo cc
	@tests/run.sh unit

check: ## format, lints, licences and sources of dependencies
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings
	scripts/cargo-deny.sh check bans licenses sources

bench: web ## build for production, measure that, and print ratios and microseconds
	@scripts/preflight.sh cargo cc python3
	@echo "building for production: many minutes the first time (every dependency is optimised), seconds when it is there"
	@cargo build --release --package portico
	@python3 benches/main.py target/release/portico

clean: ## remove everything that was built (caches of the tests: ~/.cache/portico-tests)
	rm -rf target web/dist web/node_modules

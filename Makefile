# Every command of the project; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo flex test test-quick check fmt official sdk signatures openapi deploy-check image-check fuzz fuzz-formulas mutants sbom deny web web-test \
	shots bench bench-quick chaos chaos-quick simulate release clean tools

# What the dashboard's page is made of.
PAGE := $(shell find web/shared web/dashboard/src web/dashboard/public web/call-quality web/flex-plugin/src -type f -not -path '*/node_modules/*' 2>/dev/null) \
	web/dashboard/index.html web/dashboard/vite.config.ts $(wildcard web/flex-plugin/vite.*.ts) web/package-lock.json

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
		awk -F '\t' '{ printf "make %-14s %s\n", $$1, $$2 }'

demo: tools web web/dist-shell/index.html ## Run the service and its dashboard against a simulated Twilio; ARGS="--port 9000" is passed on
	cargo run --features demo -- demo $(ARGS)

flex: demo ## The same: the demo prints the address of a stand-in for Flex with the plugin in it

test: ## Run every test suite and end with a table; SUITES="rust sdk" runs some of them
	tests/run $(SUITES)

test-quick: ## Run the unit tests of service, emulator and page
	tests/run --quick

tools:
	@tests/tools demo

check: ## Formatting and lints, warnings denied
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

fmt: ## Format
	cargo fmt --all

official: ## Hold the emulator to Twilio's own client library
	emulator/tests/official/run

sdk: ## Hold what is written to Sync to Twilio's own browser SDK
	tests/sdk/run

signatures: ## Hold the signature check to Twilio's libraries for Python and Node.js, over 12,000 generated requests
	tests/signatures/run

openapi: ## Ask the running service ten times as much as the tests do, and find every answer in /openapi.json
	tests/openapi/run 10

deploy-check: ## Hold deploy/ and the Dockerfile to linters and schemas
	tests/deploy/run

image-check: ## Build the container image, run it, and measure it; needs Docker or Podman, on Linux
	deploy/image-check

fuzz: ## Fuzz what comes from outside, each target for two minutes; `fuzz/run` says more
	fuzz/run

FORMULAS ?= 20000
fuzz-formulas: ## Evaluate FORMULAS=20000 formulas made by a grammar in the real formula process; a release tries 500000
	cargo build --release --bin taskrouter-sync --example fuzz-formulas
	target/release/examples/fuzz-formulas --count $(FORMULAS)

mutants: ## Change 900 places that must not be wrong, and show what no unit test notices; an hour or more. AREA=pacer tries one area
	tests/mutants/run $(AREA)

sbom: ## Write what binary and page are made of to target/sbom/taskrouter-sync.cdx.json
	.ci/sbom

deny: ## Licences, sources and bans of what the service is built from; builds cargo-deny where it is missing
	.ci/deny

web: tools web/dist/index.html ## Build the dashboard's page, which the next build of the service carries

web/dist/index.html: web/node_modules/.package-lock.json $(PAGE)
	cd web && npm run --silent build
	touch $@

web/dist-shell/index.html: web/node_modules/.package-lock.json $(wildcard web/flex-plugin/shell/*)
	cd web && npm run --silent shell -w flex-plugin
	touch $@

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --silent --ignore-scripts
	touch $@

web-test: ## The page's own tests, and the page in Chromium against the real service
	web/run-tests

shots: web ## Retake README's pictures of the page from the demo; takes some minutes
	cargo build --features demo
	cd web && npm run --silent shots -w dashboard

bench: ## Measure freshness, calls, intake, CPU and memory on a quiet machine; writes docs/benchmarks.md
	cargo bench --bench bench -- --write docs/benchmarks.md --details benches/results.md

bench-quick: ## Its main table roughly, in two minutes; prints only. BENCH="--queues 20 --events 10 --layout queue-map --limit window" chooses rows
	cargo bench --bench bench -- --quick --only mix $(BENCH)

chaos: ## Let faults strike the real program on a quiet machine, a quarter of an hour; writes docs/faults.md
	cargo bench --bench chaos -- --write docs/faults.md

chaos-quick: ## The same in seconds; prints only
	cargo bench --bench chaos -- --quick

SEEDS ?= 10000
simulate: ## Simulate the core under SEEDS=10000 orders of events, partitions and deaths; SEED=17 replays one
	SIMULATION_SEEDS=$(SEEDS) SIMULATION_SEED=$(SEED) cargo test --release --all-features --test simulation every_order -- --nocapture

release: web ## Build the production binary, with the page in it
	cargo build --release

clean: ## Remove what was built
	cargo clean

# Every command of the project; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test check fmt official sdk bench bench-quick release clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## Run the service against a simulated Twilio; no account, no network
	cargo run --features demo -- demo

test: ## Run all tests
	cargo test --workspace --all-features
	emulator/tests/official/run
	tests/sdk/run

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

bench: ## Measure freshness, calls, intake, CPU and memory on a quiet machine; writes docs/benchmarks.md
	cargo bench --bench bench -- --write docs/benchmarks.md

bench-quick: ## The same roughly, in two minutes; prints only
	cargo bench --bench bench -- --quick

release: ## Build the production binary
	cargo build --release

clean: ## Remove what was built
	cargo clean

# `make demo` shows the whole story on this machine; `make test` runs every check there is.
.PHONY: demo test check build image-steps

ARGS ?=

demo:
	@sh scripts/install.sh build
	cargo build --release --locked
	./target/release/mintgate demo $(ARGS)

test:
	@sh scripts/install.sh test
	@sh scripts/peers.sh
	$(MAKE) --no-print-directory check

check:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	sh scripts/run-tests.sh

build:
	@sh scripts/install.sh build
	cargo build --release --locked

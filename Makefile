# `make demo` shows the whole story on this machine; `make test` runs every check there is; `make fuzz` looks for more.
.PHONY: demo test check build fuzz image-steps soak arrival

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

# The property tests with many cases; CASES=1000000 takes an hour or two.
CASES ?= 1000000

fuzz:
	FUZZ_CASES=$(CASES) cargo test --locked --release --test it properties::

# How long a mail takes to become a ticket: told by Graph, told by Dovecot, and looked for every 5 s. Two minutes.
arrival:
	cargo test --locked --test it arrival_to_ticket -- --ignored --nocapture

# Kills the mail worker a thousand times each at Graph and at mail servers, while these and the desk misbehave;
# counts what is lost or doubled. MINTGATE_SOAK_KILLS and MINTGATE_SOAK_SEED choose another run.
soak:
	cargo test --locked --test it a_thousand_killed_lives -- --ignored --nocapture --test-threads 1

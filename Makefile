# all (default): the release binary at build/plan. run: a first program. test: everything that can
# be checked. lint: format and clippy. bench: measurements. clean: remove what was built.

CARGO   ?= cargo
TARGET  := x86_64-unknown-linux-gnu
OUT     := $(or $(CARGO_TARGET_DIR),target)

.PHONY: all run test lint bench clean setup

all: build/plan

BUILT   := $(OUT)/$(TARGET)/release/plan
MODULES := $(wildcard lib/*.wisp)
PARTS   := builtins.seed modules.seed index

# Cargo knows what is out of date; the copy is made only when the content differs.
.PHONY: build/plan
build/plan:
	$(CARGO) build --release --bin plan
	@$(if $(MODULES),$(MAKE) --no-print-directory build/library.stamp)
	@mkdir -p build
	@cmp -s $(BUILT) build/plan || \
	  { cp $(BUILT) build/plan.new && mv build/plan.new build/plan; }

# The second stage: the executable evaluates the library and is built again with the outcome inside
# (build.rs). The parts are replaced only when their content differs, so mostly there is nothing to
# build again.
build/library.stamp: $(BUILT) $(MODULES)
	@mkdir -p build/prepared build/library
	$(BUILT) seed save --library lib/std.wisp -o build/prepared
	@for part in $(PARTS); do \
	  cmp -s build/prepared/$$part build/library/$$part || \
	    cp build/prepared/$$part build/library/$$part || exit; \
	done
	$(CARGO) build --release --bin plan
	@touch $@

run: all
	@build/plan seed save seeds/queens.rpn build/queens.seed
	@echo 'seeds/queens.rpn, a program for the PLAN machine, as the file build/queens.seed:'
	@echo 'one way to place eight queens so that none attacks another, and how many ways there are.'
	@echo
	@echo '  $$ build/plan build/queens.seed 8'
	@build/plan build/queens.seed 8
	@echo
	@echo 'Run another one of seeds/ in the same two steps:'
	@echo
	@echo '  $$ build/plan seed save seeds/primes.rpn build/primes.seed'
	@echo '  $$ build/plan build/primes.seed 1000'

# The programs under tests/ drive build/plan, as a user would.
test: setup all
	$(CARGO) test

lint: setup
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings

bench: all
	$(CARGO) bench

clean:
	$(CARGO) clean
	rm -rf build

setup:
	@tools/setup

# all (default): the release binary at build/plan. run: a first program. test: everything that can
# be checked. soak: half an hour of it. lint: format and clippy. bench: measurements. book: docs/
# as HTML. clean: remove what was built.

CARGO   ?= cargo
TARGET  := x86_64-unknown-linux-gnu
OUT     := $(or $(CARGO_TARGET_DIR),target)

SOAK_SECONDS ?= 1800

.PHONY: all run test soak lint bench book clean setup

PROGRAMS := $(filter-out seeds/measure.wisp,$(wildcard seeds/*.wisp))

all: build/plan $(PROGRAMS:seeds/%.wisp=build/seeds/%.seed)

# When all is linked, the packages are optimised together. What makes the executable smaller and no
# measured program slower is said here (docs/architecture.md): loops are not vectorised, unrolled or
# peeled (level z; what each function is compiled for stays what its package says), tables of jumps begin
# at 16 cases, loops are not aligned, loads are not copied to other paths, equal ends of two instructions
# are merged.
LINK    := $(CARGO) rustc --release --bin plan -- -C opt-level=z -C llvm-args=" \
  -min-jump-table-entries=16 -max-bytes-for-alignment=1 -enable-load-pre=false -tail-merge-size=2"
BUILT   := $(OUT)/$(TARGET)/release/plan
MODULES := $(wildcard lib/*.wisp)
PARTS   := builtins.seed modules.seed index

# Cargo knows what is out of date; the copy is made only when the content differs.
.PHONY: build/plan
build/plan:
	$(LINK)
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
	$(LINK)
	@touch $@

# The programs we ship, as seeds. A program is made again when anything it may require has changed.
build/seeds/%.seed: seeds/%.wisp seeds/measure.wisp $(MODULES) | build/plan
	@mkdir -p $(@D)
	build/plan seed save $< -o $@

run: all
	@tools/tour

# The programs under tests/ drive build/plan, as a user would.
test: setup all
	$(CARGO) test

# What takes long by its nature: memory does not grow with time, threads share pins. SOAK_SECONDS=60 is
# shorter.
soak: setup all
	PLAN_KILLS=20000 $(CARGO) test --test kills -- --nocapture
	PLAN_SOAK_SECONDS=$(SOAK_SECONDS) $(CARGO) test --test soak -- --nocapture
	PLAN_SOAK_SECONDS=$(SOAK_SECONDS) $(CARGO) test -p plan-base --lib threads_make_and_drop

lint: setup
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings

bench: all
	$(CARGO) bench

book:
	@command -v mdbook >/dev/null || { echo 'make book: no mdbook: to get it,' \
	  'cargo install mdbook' >&2; exit 1; }
	mdbook build

clean:
	$(CARGO) clean
	rm -rf build

setup:
	@tools/setup

# A front for people; Meson builds, tools/ has the scripts behind it.
#
#   make            build build/vecferry (installs what the build needs, on Debian)
#   make demo       a whole migration on this machine, with real documents
#   make test       every test, then once more under the sanitizers
#   make test-unit  the unit tests only
#   make soak       long random tests; SEED=N repeats one
#   make bench      speed and memory against what is asked for; MEASURES="plan memory" takes only those
#   make fuzz       libFuzzer on every parser of foreign bytes; SECONDS=N for each
#   make lint       formatter, clang-tidy, cppcheck
#   make install    DESTDIR= is respected
#   make clean      remove everything that was built

all: build/build.ninja
	@ninja -C build

build/build.ninja:
	@tools/setup build
	@meson setup build $(if $(CI),-Dwerror=true)

demo:
	@tools/demo

test:
	@tools/setup build test
	@tools/run-tests

test-unit:
	@tools/setup build
	@tools/run-tests unit

test-integration:
	@tools/setup build test
	@tools/run-tests layers integration

soak:
	@tools/setup build test
	@tools/run-tests soak $(if $(SEED),--seed $(SEED))

fuzz:
	@tools/setup build test lint
	@tools/fuzz $(if $(SECONDS),--seconds $(SECONDS))

bench: all
	@tools/setup test
	@tools/bench $(MEASURES)

format: build/build.ninja
	@ninja -C build clang-format

lint: build/build.ninja
	@tools/setup lint
	@tools/lint

install: all
	meson install -C build --no-rebuild

clean:
	rm -rf build build-*

.PHONY: all demo test test-unit test-integration soak fuzz bench format lint install clean

# `make demo` and `make test` do everything from nothing: they need GNU make (3.81 or newer) and Python 3.11 or newer, no more.
# Packages come from whatever index this machine's pip is set up for; requirements.lock says which ones, by hash.

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PY := $(BIN)/python

# The first Python that is new enough; `make install PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; exit; }; done; echo python3)

.PHONY: help install demo test lint types imports tidy format lock docs bench clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo      the whole story on made-up data: import, triage, rewards, settlement, a team and its central store'
	@echo 'make test      lint, types, import rules, tidy tests, tests'
	@echo 'make install   the environment alone (.venv)'
	@echo 'make format    put the code into its usual form'
	@echo 'make docs      write the generated files again (reference, wire form, catalogues)'
	@echo 'make bench     measure against the named peers'
	@echo 'make lock      choose new versions of the dependencies (needs uv)'
	@echo 'make clean     remove the environment and every cache'

install: .venv/.project

demo: install
	@$(BIN)/bo demo

# First what one processor is enough for, side by side; then the tests, in the order of tests/conftest.py.
test: install
	@$(MAKE) --no-print-directory --jobs=2 lint types imports tidy
	$(PY) -m pytest --ignore=tests/tidy --numprocesses=auto --dist=loadfile --no-loadscope-reorder

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports --no-logo

tidy: install
	$(PY) -m pytest tests/tidy

format: install
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: install
	$(PY) -m tools.generate

bench: install
	$(PY) -m compileall -q src tests
	$(PY) -m tests.benchmarks

# One lock for every platform and for Python 3.11 to 3.13. Addresses and paths stay out of it: the lock names files by hash alone.
lock:
	@command -v uv >/dev/null || { echo 'make lock needs uv (python3 -m pip install uv)' >&2; exit 1; }
	uv pip compile pyproject.toml --extra browser --extra postgres --extra server --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command 'make lock' \
		$(LOCK_OPTIONS) --output-file requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# Two stamps, so that a new entry point does not install everything again. An interrupted installation leaves no stamp and
# starts from an empty environment. Byte-compiling is done here, all at once, since PYTHONDONTWRITEBYTECODE may be set.
.venv/.packages: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo 'bo needs Python 3.11 or newer; $(PYTHON) was not found.' \
		'Name one: make install PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("bo needs Python 3.11 or newer; $(PYTHON) is %d.%d. " \
		"Name another: make install PYTHON=/path/to/python3.11" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' || { echo 'This Python cannot make virtual environments; install its venv package' \
		'(Debian, Ubuntu: apt install python3-venv), or name another: make install PYTHON=...' >&2; exit 1; }
	@echo 'installing the environment into .venv (half a minute or so)'
	@$(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install -qq --disable-pip-version-check --no-compile --require-hashes --requirement requirements.lock
	-@$(PY) -c 'import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2, workers=0)'
	@touch $@

.venv/.project: .venv/.packages pyproject.toml
	@$(PY) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@$(PY) -m compileall -q src
	@touch $@

# The two commands of a newcomer are `make demo` and `make test`; both need only Python 3.11 or later, and make.
# Everything is installed into .venv with the exact versions of constraints.txt.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
USER_STAMP := $(VENV)/.installed-user
DEV_STAMP  := $(VENV)/.installed-dev
PEERS_STAMP := $(VENV)/.installed-peers
DEMO       ?= hip_flexor_tightness
BASE       ?= HEAD~1
HEAD       ?= HEAD

export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

.PHONY: help demo test validate lint types imports docs bench bench-compare bench-quick peers wheel-check format derive clean

help:
	@echo "make demo         run experiments/$(DEMO): data file, figures and a report"
	@echo "make test         run the tests"
	@echo "make validate     the adult against published measurements"
	@echo "make lint         style of the code            make format   apply it"
	@echo "make types        types of the package"
	@echo "make imports      imports run one way"
	@echo "make docs         documentation in docs/_build/html"
	@echo "make bench        speed, one commit            make bench-quick   one round of each"
	@echo "make peers        other programs on the same problems, into docs/peers.md"
	@echo "make bench-compare BASE=main HEAD=HEAD BENCH=Sweep    speed of two commits, measured in turns"
	@echo "make wheel-check  build the wheel and run an experiment with it in an empty environment"
	@echo "make derive       print spinesim/kernels/derived.py anew"

demo: $(USER_STAMP)
	$(BIN)/spinesim run experiments/$(DEMO)

test: $(DEV_STAMP)
	$(BIN)/spinesim solve --model teaching --json > /dev/null  # compiles the kernels, once for all processes
	$(BIN)/python -m pytest -n logical --dist loadgroup

validate: $(USER_STAMP)
	$(BIN)/spinesim validate adult

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV_STAMP)
	$(BIN)/mypy

imports: $(DEV_STAMP)
	$(BIN)/lint-imports

docs: $(DEV_STAMP)
	$(BIN)/sphinx-build -W --keep-going -q docs docs/_build/html
	$(BIN)/python docs/check_offline.py docs/_build/html

bench: $(DEV_STAMP)
	$(BIN)/asv machine --yes
	$(BIN)/asv run --environment existing:$(BIN)/python --set-commit-hash "$$(git rev-parse HEAD)" --show-stderr

bench-compare: $(DEV_STAMP)
	$(BIN)/asv machine --yes
	$(BIN)/python -m benchmarks.measure '$(BASE)' '$(HEAD)' $(if $(BENCH),--bench '$(BENCH)')

bench-quick: $(DEV_STAMP)
	$(BIN)/asv machine --yes
	$(BIN)/asv run --environment existing:$(BIN)/python --quick --dry-run --show-stderr

peers: $(PEERS_STAMP)
	$(BIN)/python -m benchmarks.peers --write-docs docs/peers.md

wheel-check: $(DEV_STAMP)
	PYTHON=$(BIN)/python .ci/wheel-check

derive: $(DEV_STAMP)
	$(BIN)/python -m spinesim.symbolic.derive

clean:
	rm -rf $(VENV) build dist docs/_build docs/gallery docs/api .asv .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "spinesim needs Python 3.11 or later: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(USER_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --editable .
	@touch $@

$(DEV_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --editable '.[test,lint,docs,bench]' hatchling
	@touch $@ $(USER_STAMP)

$(PEERS_STAMP): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --editable '.[peers]'
	@touch $@ $(USER_STAMP)

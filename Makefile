# Two commands to know: `make demo` and `make test`. They need Python 3.11 or newer and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SHOP   ?= demo-shop
SEED   ?= 7
NAME   ?=
SERVE  ?= 1
# Tests run beside each other: threads of linear algebra would wait for each other's cores.
ALONE  := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help setup check test test-all demo bench house docs clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# What is installed is remembered in a stamp, so a second call costs nothing.
$(VENV)/.light: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing shopkeeper (about a minute the first time) ..."
	@$(PIP) --editable . --constraint constraints.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.light
	@echo "installing what the tests need ..."
	@$(PIP) --editable '.[dev]' --constraint constraints.txt
	@touch $@

setup: $(VENV)/.dev ## make the environment with every extra that a test needs

check: setup ## format, lint, types, layers, generated docs
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.generate --check

test: check ## everything but the slow tests
	$(ALONE) $(BIN)/pytest -n 2

test-all: check ## also the slow and large tests
	$(ALONE) $(BIN)/pytest -n 2 -m ''

demo: $(VENV)/.light ## build the simulated shop, play the whole loop, write the reports, serve the console (SERVE=0: do not)
	@test -e $(SHOP)/shopkeeper.toml || $(BIN)/shopkeeper --shop $(SHOP) init --name "山水小铺 Hills & Water" --time-zone Asia/Shanghai --currency CNY
	@test -e $(SHOP)/truth || $(BIN)/shopkeeper --shop $(SHOP) simulate build --seed $(SEED)
	$(BIN)/shopkeeper --shop $(SHOP) rehearsal loop --lang en
	$(BIN)/shopkeeper --shop $(SHOP) run --lang en
	$(BIN)/shopkeeper --shop $(SHOP) run --lang zh
	@if [ "$(SERVE)" = "0" ]; then echo "The reports are in $(SHOP)/reports."; else \
	  echo "The reports are in $(SHOP)/reports. Serving the console; Ctrl-C ends it."; \
	  $(BIN)/shopkeeper --shop $(SHOP) serve; fi

bench: setup ## run a benchmark (NAME=…) or all, and write bench/RESULTS.md
	$(BIN)/python -m bench.run $(NAME)

house: setup ## train the shipped readers anew from their written data, and write their cards
	$(BIN)/python -m shopkeeper.tasks.house.build
	$(BIN)/python -m docs.house

docs: setup ## write the generated reference in docs/ anew
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.house

clean: ## remove the environment and the demo shop
	rm -rf $(VENV) $(SHOP)

# Two commands do everything: `make demo` and `make test`. Both make the virtual environment first, if it is not there.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test slow lint types clean

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

# Train the default recipe on built-in data, and make pictures with it.
demo: $(VENV)/installed
	$(BIN)/ganvas train digits --out runs/demo
	$(BIN)/ganvas sample runs/demo --count 100 --columns 10

# The tests that take seconds; `make slow` runs the others.
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 -m "not slow"

slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 -m slow

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/installed-dev
	$(BIN)/pyright

clean:
	rm -rf $(VENV) runs

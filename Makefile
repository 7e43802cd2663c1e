# Two commands do everything: `make demo` and `make test`. Both make the virtual environment first, if it is not there.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Each of two processes begins with one half of the tests: most runs that tests share are trained once.
SHARED = -n 2 --dist worksteal

.PHONY: demo test slow lint format types api site hooks clean help

demo: $(VENV)/installed  ## train the default recipe on built-in data and generate images
	$(BIN)/ganvas train digits --out runs/demo
	$(BIN)/ganvas sample runs/demo --count 100 --columns 10
	$(BIN)/python docs/make_demo.py runs/demo

test: $(VENV)/installed-dev  ## run the tests that take seconds
	$(BIN)/python -m pytest $(SHARED) -m "not slow"

slow: $(VENV)/installed-dev  ## run the tests that take minutes
	$(BIN)/python -m pytest $(SHARED) -m slow

lint: $(VENV)/installed-dev  ## check format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(VENV)/installed-dev  ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/installed-dev  ## check the types
	$(BIN)/pyright

api: $(VENV)/installed-dev  ## write docs/api.md, docs/index.md, the tree of docs/architecture.md and small pictures
	$(BIN)/python docs/make_api.py
	$(BIN)/python docs/make_tree.py
	$(BIN)/python docs/make_thumbnails.py
	$(BIN)/python docs/make_gallery.py

site: $(VENV)/installed-dev  ## build the documentation in English and Chinese: open site/index.html
	$(BIN)/python docs/website

hooks: $(VENV)/installed-dev  ## check format, style and types before each commit
	$(BIN)/pre-commit install

clean:  ## remove the virtual environment, runs/ and site/
	rm -rf $(VENV) runs site

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[jpeg]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

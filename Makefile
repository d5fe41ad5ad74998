# make translate   makes .venv, installs, trains on the built-in corpus, shows translations and a figure
#                  make translate CONFIG=configs/translation.py:smoke RUN=runs/smoke    the same in seconds
# make test        the same set-up with what tests need, then lint and every test
#                  make test PYTHON=python3.13              in another Python, installed into .venv-python3.13
#                  make test CONSTRAINTS=constraints.txt    with the versions that the committed results have
# make check       lint and tests alone, in the Python at hand:  make check PYTHON=.venv/bin/python
# make lint, make tests   one of the two
# make docs        the same set-up with what the site needs, then builds it: build/site/index.html
# make clean       removes .venv and caches; never a run

PYTHON ?= python3
CONSTRAINTS ?=
# An environment for each Python and set of versions, so that one is never taken for another.
VERSION = $(shell $(PYTHON) -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
VENV ?= .venv$(if $(filter-out python3,$(PYTHON)),-$(VERSION))$(addprefix -,$(basename $(notdir $(CONSTRAINTS))))
CONFIG ?= configs/translation.py:first
RUN ?= runs/translation
# Two sentences in which one word tells what `bank` means.
BANKS = the bank that the lawyer robs is old .\nthe river that the lawyer sees has a bank .\n
# What a new environment for tests has beside the package; .ci/run adds `export` on the newest Python.
EXTRAS ?= test
PYTEST ?= -n 2 --dist worksteal
CODE = attention_lab configs docs experiments tests

.PHONY: translate test check lint tests docs clean

translate: $(VENV)/installed
	$(VENV)/bin/python -m experiments.train --config=$(CONFIG) --workdir=$(RUN)
	@echo
	@$(VENV)/bin/python -m experiments.runs samples $(RUN)
	@printf '$(BANKS)' | $(VENV)/bin/python -m experiments.translate --run=$(RUN) --senses
	@echo
	@echo "where it looked, beside where it should: $(RUN)/attention.png"
	@echo "to look at every head, and how it came about, open it in a browser: $(RUN)/view.html"
	@echo "your own: echo 'the dog sees a cat .' | $(VENV)/bin/python -m experiments.translate --run=$(RUN)"

test: $(VENV)/installed-test
	$(MAKE) check PYTHON=$(VENV)/bin/python

check: lint tests

lint:
	$(PYTHON) -m flake8 $(CODE)
	$(PYTHON) -m isort --check-only --quiet $(CODE)

tests:
	$(PYTHON) -m pytest $(PYTEST)

docs: $(VENV)/installed-docs
	$(VENV)/bin/python -m sphinx -W --keep-going --quiet -d build/site-trees -c docs/site . build/site
	@echo "the site: build/site/index.html"

# The stamps: installed anew when what is required changes.
$(VENV)/installed: setup.cfg pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet $(addprefix -c ,$(CONSTRAINTS)) -e .
	touch $@

$(VENV)/installed-test: setup.cfg pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet $(addprefix -c ,$(CONSTRAINTS)) -e '.[$(EXTRAS)]'
	touch $(VENV)/installed $@

$(VENV)/installed-docs: setup.cfg pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet $(addprefix -c ,$(CONSTRAINTS)) -e '.[docs]'
	touch $(VENV)/installed $@

clean:
	rm -rf .venv .venv-* build docs/site/reference *.egg-info .pytest_cache .hypothesis .jax_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

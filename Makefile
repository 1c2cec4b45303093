# Everything runs in .venv, which the first target that needs it sets up.
PYTHON ?= python3
BIN := .venv/bin
RUN := runs/demo
# a worker for each core, which takes tests from another when it has none left
PARALLEL := -n auto --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help install demo test check slow durations bench faults docs site clean

help:  ## show what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/installed  ## set up .venv

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "distaff needs Python 3.11 or newer"'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(RUN)/report.html  ## train, score and report a beta-VAE on dSprites in a few minutes
	@$(BIN)/python benchmarks/demo_scores.py $(RUN)

$(RUN)/report.html: | install
	$(BIN)/distaff train beta_vae --dataset dsprites --data resolution=32 \
		--set beta=3 --set latents=5 --set batch_size=32 --set learning_rate=1e-3 --steps 10000 --out $(RUN)
	$(BIN)/distaff evaluate $(RUN)
	$(BIN)/distaff explore $(RUN)
	$(BIN)/distaff report $(RUN)

check: install  ## format, lint and type checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check  ## the checks and the tests
	$(BIN)/pytest $(PARALLEL) -m 'not slow'

slow: install  ## the tests that take long, half an hour in all
	$(BIN)/pytest $(PARALLEL) -m slow

durations: install  ## which 30 tests take longest (wants an idle machine)
	bash -o pipefail -c "$(BIN)/pytest $(PARALLEL) -m 'not slow' --durations=30 | sed -n '/slowest 30/,\$$p' \
		> benchmarks/results/test_durations.txt"

bench: install  ## how fast it trains, encodes and scores (40 minutes, wants an idle machine)
	$(BIN)/python benchmarks/engine.py

faults: install  ## kills, full disks, hostile files (half an hour; root tries full disks too)
	$(BIN)/python benchmarks/faults.py

docs: install  ## write the tables in docs/ from the registry
	$(BIN)/python docs/tables.py

site: install  ## the docs as a static site in site/, which opens from its files
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs site
	@echo "Done: open site/index.html"

clean:  ## remove .venv and caches (runs stay)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Plain pip is enough; PIP=... and PYTHON=... may be given.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check lint types bench clean

$(VENV)/.installed-run: pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	touch $@

demo: $(VENV)/.installed-run  ## set up, run the job on examples/, show one trace before and after
	rm -rf out/demo
	$(BIN)/dlcot enhance input=examples/shards output=out/demo
	$(BIN)/python examples/show.py out/demo six-lanterns

test: $(VENV)/.installed-dev  ## set up and run all tests
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

check: lint types test  ## what CI runs

TRACES ?= examples/shards
bench: $(VENV)/.installed-dev  ## TRACES=folder of Parquet shards
	$(BIN)/python benchmarks/rules_judge.py $(TRACES)
	$(BIN)/python benchmarks/ray_job.py $(TRACES)

clean:
	rm -rf $(VENV) out

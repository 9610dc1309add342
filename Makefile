# make grade   grade the class in submitted/ (the sample class, where there is none)
# make test    run all tests
# make release write what students get, release/, from source/, if its tests stand up to nbreferee verify
# make counts  bring the tables of the README and of docs/instructor.md up to date
# make lab     open the course in JupyterLab, with nbgrader's extensions
# make lock    choose and pin new versions of all packages

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
assignments = $(notdir $(patsubst %/,%,$(wildcard source/*/)))
lab_options ?=
grade_options ?=

SHELL = /bin/bash
.SHELLFLAGS = -o pipefail -c

# nbgrader looks for alembic on the path.
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: grade test release generate counts lab lock

grade: generate
	$(BIN)/python tests/hand_in.py submitted
	$(BIN)/nbreferee grade $(grade_options)

test: $(VENV)/ready
	$(BIN)/python -m pytest

release: $(VENV)/ready
	$(BIN)/nbreferee verify
	$(MAKE) generate

generate: $(VENV)/ready
	@for assignment in $(assignments); do \
	    $(BIN)/nbgrader generate_assignment $$assignment --force --log-level=WARN || exit 1; \
	done
	$(BIN)/python scripts/release_readme.py

counts: $(VENV)/ready
	$(BIN)/nbreferee verify --json $(VENV)/verified.json
	$(BIN)/python tests/counts.py $(VENV)/verified.json
	$(BIN)/python scripts/instructor_tables.py

lab: $(VENV)/ready
	$(BIN)/jupyter lab $(lab_options)

lock:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile --universal --generate-hashes --python-version 3.11 --all-extras pyproject.toml \
	    --custom-compile-command "make lock" --upgrade --quiet --output-file requirements.lock

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

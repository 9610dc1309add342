# make grade   grade the class in submitted/ (the sample class, where there is none)
# make test    run all tests, beside make check
# make check   format, style and types
# make release write what students get, release/, from source/, if its tests stand up to nbreferee verify
# make counts  bring the tables of the README, docs/instructor.md and docs/verify.md up to date
# make lab     open the course in JupyterLab, with nbgrader's extensions
# make student open JupyterLab as a student of the course has it, in student/
# make lock    choose and pin new versions of all packages
# make lowest  run the quick tests with the lowest versions that pyproject.toml allows

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

# JupyterLab refuses to run as root unless it is told to.
as_root = $(if $(filter 0,$(shell id -u)),--allow-root)

# Students' names, where the course has a roster. A row that is left out is named, and stops nothing.
write_names = [ ! -f students.csv ] || $(BIN)/nbreferee roster || [ $$? -eq 1 ]

.PHONY: grade check test pytest release generate counts lab student lock lowest

grade: generate
	$(BIN)/python tests/hand_in.py submitted
	@$(write_names)
	$(BIN)/nbreferee grade $(grade_options)

check: $(VENV)/ready
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy --no-error-summary

test: $(VENV)/ready
	$(MAKE) --jobs=2 check pytest

pytest: $(VENV)/ready
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
	@$(write_names)
	$(BIN)/jupyter lab $(as_root) $(lab_options)

student: $(VENV)/ready
	cd student && $(abspath $(BIN))/jupyter lab $(as_root) $(lab_options)

lock:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile --universal --generate-hashes --python-version 3.11 --all-extras pyproject.toml \
	    --custom-compile-command "make lock" --upgrade --quiet --output-file requirements.lock

# Old packages may use what newer ones deprecate: that is no fault of ours.
lowest:
	$(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m venv --clear $(VENV)/lowest
	$(PYTHON) -m uv pip compile --resolution lowest-direct --python-version 3.11 --extra course --extra test --extra dask \
	    --extra postgresql pyproject.toml --quiet --output-file $(VENV)/lowest.txt
	$(PYTHON) -m uv pip install --quiet --python $(VENV)/lowest/bin/python --requirement $(VENV)/lowest.txt
	$(PYTHON) -m uv pip install --quiet --python $(VENV)/lowest/bin/python --no-deps --no-build-isolation --editable .
	$(VENV)/lowest/bin/python -m pytest -W default::DeprecationWarning tests/test_private_interfaces.py tests/engine/test_codec.py tests/course/test_ownership.py tests/verify/test_mutation.py

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	@echo "Installing the packages of requirements.lock into $(VENV)/: about a minute."
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes --requirement requirements.lock \
	    | { n=0; while read -r step _; do \
	        case $$step in \
	            Collecting) n=$$((n + 1)); [ $$((n % 25)) -ne 0 ] || echo "  $$n packages found";; \
	            Installing) echo "  $$n packages found: unpacking them";; \
	        esac; done; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

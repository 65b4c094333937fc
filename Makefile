# make install   the environment in .venv (again only when its inputs changed)
# make demo      the whole road on the sample photos; report in out/demo/report.html
# make lint      ruff check, ruff format --check and mypy
# make test      lint, then all tests
# make coverage  all tests, and which lines they run
# make docs      the site, in out/site
# make test-qt6  the plugin's tests on PyQt6, in .venv-qt6
# make lock      requirements.lock anew: every package with all extras, at the versions of constraints.txt, with hashes
# make sbom      what an installation brings: out/sbom.json (CycloneDX) and docs/licences.md
# Settings: PYTHON=python3.12  PIP_ARGS="--index-url URL"  EXTRAS=gui,train  PYTEST_ARGS="-k store"  TEST_PROCESSES=4

VENV := .venv
EXTRAS ?= gui,train,formats,sleap,cluster,serve,test,lint,docs
INPUTS := setup.cfg pyproject.toml constraints.txt .ci/install .ci/system-libraries

TEST_PROCESSES ?= 2
FILE_BY_FILE := --dist loadfile --no-loadscope-reorder
# pytest's plugins for windows would be imported, with all of napari, by every process of the other tests
NO_WINDOWS := --ignore=tests/plugins $(foreach name,napari napari-plugin-engine npe2 pytest-qt,-p no:$(name))
OTHER_TESTS = $(NO_WINDOWS) -n $(TEST_PROCESSES) $(FILE_BY_FILE) $(PYTEST_ARGS)

# gui_tests(environment, how pytest is started if not by its python -m)
gui_tests = if [ -z "$$DISPLAY" ] && command -v xvfb-run >/dev/null; then \
	set -- $(FILE_BY_FILE) --tx '$(TEST_PROCESSES)*popen//python=xvfb-run -a $(1)/bin/python'; fi; \
	$(or $(2),$(1)/bin/python -m) pytest tests/plugins "$$@" $(PYTEST_ARGS)

QT6 := .venv-qt6

TOOLS := .venv-tools
ALL := gui,train,formats,sleap,postgres,cluster,serve,test

.PHONY: install demo lint test coverage docs test-qt6 lock sbom clean
.SILENT:
# Sources and tests are compiled once, not by each of the hundreds of processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

install: $(VENV)/.installed

$(VENV)/.installed: $(INPUTS)
	PYTHON='$(PYTHON)' PIP_ARGS='$(PIP_ARGS)' EXTRAS='$(EXTRAS)' VENV='$(VENV)' sh .ci/install

demo: install
	$(VENV)/bin/annotator demo --out out/demo

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy annotator

# GUI tests need a display: without one every process of theirs gets a virtual one of its own (two windows on one display
# would take the focus from each other). They are run apart from the others: a window's OpenGL and the off-screen OpenGL
# of the synthetic photos cannot share a process.
test: lint
	$(call gui_tests,$(VENV))
	$(VENV)/bin/python -m pytest $(OTHER_TESTS)

# The same tests as `make test`, with a report at the end and out/coverage/index.html.
coverage: install
	$(VENV)/bin/coverage erase
	$(call gui_tests,$(VENV),$(VENV)/bin/coverage run -m)
	$(VENV)/bin/coverage run -m pytest $(OTHER_TESTS)
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage html --quiet
	$(VENV)/bin/coverage report

# Reads the sources only; a warning is an error.
docs: install
	$(VENV)/bin/python docs/tables.py --check
	$(VENV)/bin/python docs/architecture_picture.py --check
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet

# The plugin's tests on PyQt6, in an environment of their own: two Qt bindings in one are a trap.
test-qt6: $(QT6)/.installed
	export QT_API=pyqt6 PYTEST_QT_API=pyqt6; $(call gui_tests,$(QT6))

$(QT6)/.installed: $(INPUTS)
	PYTHON='$(PYTHON)' PIP_ARGS='$(PIP_ARGS)' EXTRAS=gui-qt6,formats,test VENV='$(QT6)' sh .ci/install

lock: $(TOOLS)/.installed
	sh .ci/lock '$(TOOLS)' '$(ALL)'

sbom: install $(TOOLS)/.installed
	sh .ci/sbom '$(TOOLS)' '$(VENV)'

# An environment of their own, so that they are not listed among what they list.
$(TOOLS)/.installed:
	$(VENV)/bin/python -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) uv cyclonedx-bom pip-licenses
	touch $(TOOLS)/.installed

clean:
	rm -rf $(VENV)/.installed $(QT6)/.installed out build *.egg-info

# make install   the environment in .venv (again only when its inputs changed)
# make demo      the whole road on the sample photos; report in out/demo/report.html
# make test      all tests
# Settings: PYTHON=python3.12  PIP_ARGS="--index-url URL"  EXTRAS=gui,train  PYTEST_ARGS="-k store"

VENV := .venv
EXTRAS ?= gui,train,formats,test
INPUTS := setup.cfg pyproject.toml constraints.txt .ci/install .ci/system-libraries

.PHONY: install demo test clean
.SILENT:

install: $(VENV)/.installed

$(VENV)/.installed: $(INPUTS)
	PYTHON='$(PYTHON)' PIP_ARGS='$(PIP_ARGS)' EXTRAS='$(EXTRAS)' VENV='$(VENV)' sh .ci/install

demo: install
	$(VENV)/bin/annotator demo --out out/demo

# GUI tests need a display: without one they get a virtual one.
test: install
	if [ -d tests/plugins ] && [ -z "$$DISPLAY" ] && command -v xvfb-run >/dev/null; \
	then xvfb-run -a $(VENV)/bin/python -m pytest $(PYTEST_ARGS); \
	else $(VENV)/bin/python -m pytest $(PYTEST_ARGS); fi

clean:
	rm -rf $(VENV)/.installed out build *.egg-info

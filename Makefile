# make install   the environment in .venv (again only when its inputs changed)
# make demo      the whole road on the sample photos; report in out/demo/report.html
# make test      all tests
# Settings: PYTHON=python3.12  PIP_ARGS="--index-url URL"  EXTRAS=gui,train  PYTEST_ARGS="-k store"

VENV := .venv
EXTRAS ?= gui,train,formats,cluster,serve,test
INPUTS := setup.cfg pyproject.toml constraints.txt .ci/install .ci/system-libraries

.PHONY: install demo test clean
.SILENT:

install: $(VENV)/.installed

$(VENV)/.installed: $(INPUTS)
	PYTHON='$(PYTHON)' PIP_ARGS='$(PIP_ARGS)' EXTRAS='$(EXTRAS)' VENV='$(VENV)' sh .ci/install

demo: install
	$(VENV)/bin/annotator demo --out out/demo

# GUI tests need a display: without one they get a virtual one. They have a process of their own: a window's OpenGL and
# the off-screen OpenGL of the synthetic photos cannot share one.
test: install
	if [ -z "$$DISPLAY" ] && command -v xvfb-run >/dev/null; then virtual="xvfb-run -a"; fi; \
	$$virtual $(VENV)/bin/python -m pytest tests/plugins $(PYTEST_ARGS)
	$(VENV)/bin/python -m pytest --ignore=tests/plugins $(PYTEST_ARGS)

clean:
	rm -rf $(VENV)/.installed out build *.egg-info

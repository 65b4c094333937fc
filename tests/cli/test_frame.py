"""The command line as a process (help, Ctrl-C, a reader that goes away), and the package as declared."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

from annotator.cli import main, registry

ROOT = Path(__file__).resolve().parents[2]
RUN = "import sys; from annotator.cli import main; sys.exit(main(sys.argv[1:]))"


def test_help_needs_none_of_the_heavy_parts():
    script = (
        "import sys; from annotator.cli import main; code = main(['--help']); "
        "heavy = {'torch', 'napari', 'qtpy', 'sqlalchemy'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in registry.COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("name", registry.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    assert main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert f"annotator {name}" in said and "--help" in said


def test_the_library_needs_neither_qt_nor_napari():
    script = (
        "import sys, annotator, annotator.project, annotator.formats.freihand; "
        "sys.exit(str({'napari', 'qtpy', 'PyQt5'} & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_ctrl_c_is_130_and_a_short_line(monkeypatch, capsys):
    import annotator.project

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(annotator.project.Project, "open", interrupted)
    assert main(["status", "somewhere"]) == 130
    said = capsys.readouterr()
    assert said.out == "" and "interrupted" in said.err and said.err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(folder):
    command = f'"{sys.executable}" -c "{RUN}" status "{folder}" --json'
    done = subprocess.run(f"{command} | true", shell=True, capture_output=True, text=True)
    assert done.stderr == ""
    done = subprocess.run(f"{command} | head -c 20", shell=True, capture_output=True, text=True)
    assert done.stdout.startswith('{"project"') and done.stderr == ""


def test_setup_cfg_names_every_package():
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg")
    packages = set(declared["options"]["packages"].split())
    there = {".".join(p.relative_to(ROOT).parts) for p in (ROOT / "annotator").rglob("*") if any(p.glob("*.py"))}
    there |= {"annotator", "annotator.sample_data"}
    plugins = ROOT / "plugins"
    there |= {".".join(p.relative_to(plugins).parts) for p in plugins.rglob("*") if any(p.glob("*.py"))}
    assert packages == {name for name in there if "__pycache__" not in name}


def test_sample_data_is_what_its_readme_says():
    from annotator import sample_data

    photos = sample_data.photos()
    assert len(photos) == 39 and sum(path.stat().st_size for path in photos) < 6e6
    digits = {path.name[6] for path in photos if path.name.startswith("digit-")}
    assert digits == set("0123456789")
    cameras = sample_data.cameras()
    assert set(cameras) == {"cam0", "cam1"} and len(cameras["cam0"]["K"]) == 3

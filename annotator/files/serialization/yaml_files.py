"""YAML files of other people: mappings only, nothing of them is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import needed, ordinary


def yaml_of(path: Path) -> dict[str, Any]:
    """The mapping of a YAML file, OpenCV's dialect too; InputError naming it."""
    yaml = needed("yaml")

    Loader: Any = type("Loader", (yaml.SafeLoader,), {})  # its own, so that what others load is not changed
    Loader.add_multi_constructor(
        "tag:yaml.org,2002:opencv-", lambda loader, _, node: loader.construct_mapping(node, True)
    )
    with reading(path, "is not YAML", yaml.YAMLError, UnicodeDecodeError, RecursionError):
        text = ordinary(path).read_text(encoding="utf-8")
        if text.startswith("%YAML"):  # OpenCV 4 and older write a colon that is no YAML
            text = text.partition("\n")[2]
        content = yaml.load(text, Loader)  # noqa: S506  # a SafeLoader: it makes mappings, lists and numbers only
    if not isinstance(content, dict):
        raise InputError(f"{path} is not a YAML mapping")
    return content

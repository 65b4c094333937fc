"""Safetensors files that the system does not open."""

from __future__ import annotations

import os
import resource

import pytest
import torch
from safetensors.torch import save_file

from annotator.errors import InputError
from annotator.files.serialization.tensor_files import opened_safetensors


def test_no_descriptors_are_left(tmp_path):
    path = tmp_path / "some.safetensors"
    save_file({"one": torch.ones(3)}, path)
    lowest = os.dup(0)
    os.close(lowest)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))  # one more: the library and torch want one each
    try:
        with pytest.raises(InputError, match=r"cannot read .*some\.safetensors: Too many open files"):
            with opened_safetensors(path, "is no checkpoint") as file:
                file.get_tensor("one")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with opened_safetensors(path, "is no checkpoint") as file:
        assert file.get_tensor("one").sum() == 3

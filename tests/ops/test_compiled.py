"""Compilation of the C++ scan: once per machine, atomic, with a fall-back."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from openstl_ext.ops.selective_scan import compiled, dispatch, obstacle, selective_scan
from tests.ops.cases import drawn

CPU, SINGLE = torch.device("cpu"), torch.float32
SCAN = """
import torch
from openstl_ext.ops.selective_scan import selective_scan
ones = torch.ones(1, 2, 3)
print(selective_scan(ones, ones, -torch.ones(2, 2), ones, ones, backend="native").sum().item())
"""


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the cache folder of a user who has not compiled the scan yet."""
    if reason := obstacle("native", CPU, SINGLE):
        pytest.skip(f"native: {reason}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for cached in (compiled._loaded, dispatch._failure):
        cached.cache_clear()
    monkeypatch.setattr(dispatch, "_announced", set())
    yield tmp_path / "openstl_ext"
    for cached in (compiled._loaded, dispatch._failure):
        cached.cache_clear()


@pytest.mark.slow
def test_an_import_does_not_compile(empty_cache: Path) -> None:
    """Every tool and every worker would wait for a compiler."""
    code = "import openstl_ext.ops.selective_scan, openstl_ext.ops.cross_scan"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not empty_cache.exists()


@pytest.mark.slow
def test_two_processes_can_compile_at_the_same_time(empty_cache: Path) -> None:
    """The ranks of a distributed run start together with an empty cache."""
    command = [sys.executable, "-c", SCAN]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (process.communicate()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert first == second != ""
    (library,) = empty_cache.iterdir()
    made = library.stat().st_mtime_ns
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert library.stat().st_mtime_ns == made, "the next process must use it"


@pytest.mark.slow
def test_a_damaged_library_is_compiled_again(empty_cache: Path) -> None:
    """The fast scan would stay disabled after the disk was full once."""
    path = Path(compiled.library()._name)
    path.unlink()
    path.write_bytes(b"half a library")
    compiled._loaded.cache_clear()
    assert compiled.library().scan_chunk() == 16


def test_a_failed_compilation_is_logged_once_and_another_backend_runs(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Training would stop because of a broken compiler."""
    compiler = empty_cache.parent / "broken"
    compiler.write_text("#!/bin/sh\necho 'scan.cpp:1: error: no such machine' >&2; exit 1\n")
    compiler.chmod(0o700)
    monkeypatch.setenv("CXX", str(compiler))
    tensors, _ = drawn()
    tensors = {name: t.float() for name, t in tensors.items()}
    with caplog.at_level(logging.WARNING, "openstl_ext"):
        for _ in range(2):
            out = selective_scan(**tensors)
    torch.testing.assert_close(out, selective_scan(**tensors, backend="reference"))
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert warnings[0].startswith("selective scan on cpu: stepwise")
    assert "error: no such machine" in warnings[0]


def test_a_missing_compiler_is_not_a_warning(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users without a compiler would be warned at every run."""
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", os.fspath(empty_cache))
    reason = obstacle("native", CPU, SINGLE)
    assert reason == "no C++ compiler (g++, clang++ or $CXX)"
    assert not reason.broken

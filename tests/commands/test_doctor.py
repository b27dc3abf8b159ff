"""The report on an installation."""

import shutil
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.commands import doctor
from openstl_ext.commands.doctor import Finding
from openstl_ext.ops.selective_scan import BACKENDS


def test_everything_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user with a problem would get no hint of its cause."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/kth/boxing").mkdir(parents=True)
    monkeypatch.setattr(doctor, "ENOUGH_BYTES", 0)
    cli.call(["doctor"])
    report = capsys.readouterr().out
    assert "torch 2." in report
    assert all(f"{name} on cpu: " in report for name in BACKENDS)
    assert "triton on cpu: runs on cuda" in report
    assert "data/kth: found (KTH, 16 recipes)" in report
    assert "data/taxibj: missing (TaxiBJ, " in report
    assert "remedy: openstl-ext data taxibj --root data/taxibj\n" in report
    assert "remedy: openstl-ext data lts --miniature --root data/miniature/lts\n" in report
    assert "remedy: openstl-ext demo\n" in report


def test_a_full_disk_has_a_remedy_and_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that checks an installation would miss the failure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "ENOUGH_BYTES", shutil.disk_usage(tmp_path).total + 1)
    (finding,) = doctor.disk()
    assert finding.broken
    assert finding.remedy
    for section in ("environment", "accelerators", "scan_backends", "data"):
        monkeypatch.setattr(doctor, section, lambda: iter([Finding("fine")]))
    with pytest.raises(SystemExit) as ended:
        cli.call(["doctor"])
    assert ended.value.code == 2


def test_a_backend_that_is_switched_off_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Selective scans would be slow, and the user would not learn how to change that."""
    monkeypatch.setenv("OPENSTL_EXT_NO_NATIVE", "1")
    native = next(found for found in doctor.scan_backends() if found.text.startswith("native"))
    assert "disabled by OPENSTL_EXT_NO_NATIVE" in native.text
    assert native.remedy == "unset OPENSTL_EXT_NO_NATIVE"


def test_a_missing_package_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report on a broken installation would be a traceback."""
    monkeypatch.setattr(doctor, "PACKAGES", ("a_missing_package",))
    with pytest.raises(SystemExit):
        cli.call(["doctor"])
    report = capsys.readouterr().out
    assert "remedy: pip install a_missing_package\n" in report
    assert "accelerators" not in report


def test_a_broken_config_of_the_user_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One broken config would hide the state of all other data."""
    (tmp_path / "configs/mine").mkdir(parents=True)
    (tmp_path / "configs/mine/net.py").write_text("modle = dict()")
    monkeypatch.chdir(tmp_path)
    texts = [finding.text for finding in doctor.data()]
    assert any(text.startswith("mine/net: ") and "'model'" in text for text in texts)
    assert any(text.startswith("data/taxibj: ") for text in texts)

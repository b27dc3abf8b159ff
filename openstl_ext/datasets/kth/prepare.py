"""Prepare KTH, from its authors (AVI) or as prepared for PredRNN and OpenSTL (JPEG)."""

import json
import shutil
from functools import partial
from pathlib import Path, PurePosixPath

from openstl_ext.atomic_io import atomic_folder, atomic_write
from openstl_ext.datasets.download.checksum import ZIP, Checksum, Signs
from openstl_ext.datasets.download.extract import Place, unpack
from openstl_ext.datasets.download.remote_file import RemoteFile
from openstl_ext.datasets.kth.files import (
    ACTIONS,
    FORMS,
    FRAME,
    NAME,
    NUM_RECORDINGS,
    SEQUENCES,
    find_form,
    find_videos,
    read_sequences,
)
from openstl_ext.datasets.preparation import Preparation
from openstl_ext.datasets.synthetic.kth import write
from openstl_ext.errors import DataError
from openstl_ext.json_file import read_json
from openstl_ext.progress_line import print_status

HOSTS = ("https://www.csc.kth.se/cvap/actions/", "http://www.nada.kth.se/cvap/actions/")
SHA1 = {
    "boxing": "adb36ed9c29c846d44d2ba15f348bd115c951bbd",
    "handclapping": "d3b81261aa822ef63d0d1523f945bfaff27814d2",
    "handwaving": "0792f7cd69f7f895a205c08ac212ddaa7177e370",
    "jogging": "21943bdbcef9dad106db0d74661e49eaeaa15a25",
    "running": "da83bb313edfd4455fffdda6263696fa10d43c6f",
    "walking": "a3e81537271a0ab4576591774baa38c2d97b7e3a",
}
"""As listed by visym/vipy@6e38925, dataset/kthactions.py."""

LIMIT = 4_000_000_000
ZIPS = {
    action: RemoteFile(
        name=f"{action}.zip",
        mirrors=tuple(f"{host}{action}.zip" for host in HOSTS),
        checksum=Checksum("sha1", SHA1[action]),
        max_bytes=500_000_000,
    )
    for action in ACTIONS
}
LIST = RemoteFile(
    name=SEQUENCES,
    mirrors=tuple(host + SEQUENCES for host in HOSTS),
    checksum=Signs(contains=(b"person01_boxing_d1", b"frames")),
    max_bytes=1_000_000,
)
JPEGS = RemoteFile(
    name="kth_action.zip",
    mirrors=("https://github.com/chengtan9907/OpenSTL/releases/download/v0.1.0/kth_action.zip",),
    checksum=Signs(ZIP),
    max_bytes=LIMIT,
)
DONE = "unpacked.json"
"""Lists the archives that are completely unpacked, so that a later run skips them."""


def fetch(root: Path, source: Path | None, form: str | None) -> None:
    """Get the recordings in one form, and print their number.

    Raises:
        DataError: If the folder has the other form.
    """
    other = "avi" if form == "jpeg" else "jpeg"
    if find_form(root, other) is not None:
        raise DataError(f"{root} has the {other} form; choose another --root for {form}")
    if form == "jpeg":
        _unpack_once(root, JPEGS, source, ACTIONS, _frame)
    else:
        read_sequences(LIST.obtain(root, source=source))
        for action, file in ZIPS.items():
            _unpack_once(root, file, source, (action,), partial(_recording, action))
    videos = find_videos(root, form or "avi", range(1, 26))
    print_status(f"  {len(videos)} of {NUM_RECORDINGS} recordings, as {form}; decoded at first use")


def _unpack_once(
    root: Path, file: RemoteFile, source: Path | None, actions: tuple[str, ...], place: Place
) -> None:
    """Unpack an archive into the folders of its actions, unless it is unpacked already."""
    record = root / DONE
    done = read_json(record, set[str]) if record.is_file() else set()
    if file.name in done and all((root / action).is_dir() for action in actions):
        print_status(f"{file.name} is unpacked already")
        return
    archive = file.obtain(root, source=source, copy=False)
    staging = root / "unpacked"
    with atomic_folder(staging) as folder:
        unpack(archive, folder, place=place, max_bytes=LIMIT)
    for action in actions:
        if not (staging / action).is_dir():
            raise DataError(f"{archive}: has no recording of {action}; fetch it again")
        shutil.rmtree(root / action, ignore_errors=True)  # left by a killed run
        (staging / action).replace(root / action)
    staging.rmdir()
    atomic_write(record, json.dumps(sorted(done | {file.name})).encode())
    if archive.parent == root:
        archive.unlink()


def _recording(action: str, name: PurePosixPath) -> str | None:
    """Return the target path of a member of an action's zip, which has no folders."""
    return f"{action}/{name.name}" if NAME.fullmatch(name.name) and name.suffix == ".avi" else None


def _frame(name: PurePosixPath) -> str | None:
    """Return the target path of a member of the zip of frames, at any depth of folders."""
    if len(name.parts) < 3 or not FRAME.fullmatch(name.name):
        return None
    *_, action, video, frame = name.parts
    return f"{action}/{video}/{frame}" if action in ACTIONS and NAME.fullmatch(video) else None


def _miniature(root: Path, form: str | None) -> None:
    write(root, form=form or "avi")


PREPARATION = Preparation(
    name="KTH",
    root="data/kth",
    dataset="KTH",
    fetch=fetch,
    miniature=_miniature,
    bytes_needed=9_000_000_000,
    forms=FORMS,
)

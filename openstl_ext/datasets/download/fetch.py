"""Fetch one file over HTTP, and resume interrupted transfers."""

import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from openstl_ext.atomic_io import PART, fsync_folder
from openstl_ext.datasets.download.checksum import Checksum, Signs
from openstl_ext.errors import DataError
from openstl_ext.progress_line import print_status, progress

BLOCK = 1 << 18
TIMEOUT_SECONDS = 30
ATTEMPTS = 4
"""Transfers from one mirror before the next is tried; each resumes the one before."""

Report = Callable[[str], None]


class _TransferError(Exception):
    """A transfer ended early; the received bytes are kept."""


class _RefusedError(Exception):
    """A mirror does not have the file, or sends another one."""


def download(
    mirrors: Sequence[str],
    path: Path,
    *,
    checksum: Checksum | Signs | None,
    max_bytes: int,
    pause_seconds: float = 1.0,
    report: Report = print_status,
) -> None:
    """Fetch a file, which receives its name when it is complete and verified.

    The received bytes are in a file beside it that ends in ``.part``. Later runs and other mirrors
    resume it. If the checksum differs, the file is fetched once more from the beginning, because
    the part may belong to another file.

    Args:
        mirrors: Addresses (http or https) of the same file, in order of preference.
        path: Target file; its folder is created.
        checksum: Expected checksum, or signs of the file; with None only the length sent by the
            server is verified.
        max_bytes: Largest accepted size, so that a faulty server cannot fill the disk.
        pause_seconds: Wait after an interrupted transfer, doubled each time.
        report: Called with each message.

    Raises:
        DataError: If no mirror sends the file; the message has the answer of each mirror.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    answers = []
    for url in mirrors:
        if urlsplit(url).scheme not in ("http", "https"):
            raise DataError(f"{url}: unsupported address, expected http or https")
        try:
            _fetch(url, part, max_bytes, pause_seconds, report)
            if checksum is not None and not checksum.matches(part):
                report(f"{url}: the checksum differs; fetching it again from the beginning")
                part.unlink()
                _fetch(url, part, max_bytes, pause_seconds, report)
                checksum.verify(part, advice="trying the next mirror")
        except (_TransferError, _RefusedError) as error:
            answers.append(f"{url}: {error}")
        except DataError as error:
            part.unlink()  # resuming it would keep the wrong bytes
            answers.append(f"{url}: {error}")
        else:
            part.replace(path)
            fsync_folder(path.parent)
            return
        report(answers[-1])
    raise DataError(
        f"{path.name} could not be fetched. " + "; ".join(answers) + ". Run this again to resume, "
        "or fetch the file by other means and give its folder as --source"
    )


def _fetch(url: str, part: Path, max_bytes: int, pause_seconds: float, report: Report) -> None:
    """Fetch the missing bytes from one mirror, in several attempts."""
    for attempt in range(1, ATTEMPTS + 1):
        have = part.stat().st_size if part.is_file() else 0
        try:
            return _transfer(url, part, have, max_bytes, report)
        except (_TransferError, OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        if attempt == ATTEMPTS:
            raise _TransferError(f"interrupted {ATTEMPTS} times, the last time by: {reason}")
        report(
            f"{url}: interrupted ({reason}); resuming in {pause_seconds * 2 ** (attempt - 1):g} s"
        )
        time.sleep(pause_seconds * 2 ** (attempt - 1))
    return None


def _transfer(url: str, part: Path, have: int, max_bytes: int, report: Report) -> None:
    """Request all bytes after the first ``have``."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        reply = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            if re.fullmatch(rf"bytes \*/{have}", error.headers.get("Content-Range") or ""):
                return  # no bytes follow: the part is complete
            part.unlink()
            raise _TransferError("the local part is of another file; it is removed") from None
        if error.code in (408, 429) or error.code >= 500:
            raise _TransferError(f"the server answers {error.code} {error.reason}") from None
        raise _RefusedError(f"the server answers {error.code} {error.reason}") from None
    with reply:
        resumed = reply.status == 206
        if resumed and not (reply.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            part.unlink()
            raise _TransferError("the server sends another range than requested")
        start = have if resumed else 0  # a server that ignores Range sends everything
        length = reply.headers.get("Content-Length")
        total = start + int(length) if length and length.isdigit() else None
        _check_room(part, start, total, max_bytes)
        size = f"{total / 1e6:.1f} MB" if total else "unknown size"
        report(f"{url}: {size}" + (f", resuming after {start / 1e6:.1f} MB" if start else ""))
        shown = None if total is None else total / 1e6
        with part.open("ab" if resumed else "wb") as file, progress(part.stem, shown, "MB") as task:
            got = start
            task.begin(start / 1e6)
            while block := reply.read(BLOCK):
                got += len(block)
                task.advance(len(block) / 1e6)
                if got > max_bytes:
                    raise _RefusedError(f"sends more than the expected {max_bytes:,} bytes")
                try:
                    file.write(block)
                except OSError as error:
                    raise _RefusedError(f"{part} cannot be written: {error}") from error
        if total is not None and got < total:
            raise _TransferError(f"{got:,} of {total:,} bytes received")


def _check_room(part: Path, start: int, total: int | None, max_bytes: int) -> None:
    if total is None:
        return
    if total > max_bytes:
        raise _RefusedError(f"has {total:,} bytes, expected at most {max_bytes:,}")
    free = shutil.disk_usage(part.parent).free
    if total - start > free:
        raise _RefusedError(
            f"{(total - start) / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are available"
        )

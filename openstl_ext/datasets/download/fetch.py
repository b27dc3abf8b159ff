"""Fetch one file over HTTP, going on where a broken transfer stopped."""

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
from openstl_ext.datasets.download.checksum import Checksum
from openstl_ext.errors import DataError

BLOCK = 1 << 18
TIMEOUT_SECONDS = 30
ATTEMPTS = 4
"""Transfers from one mirror before the next is asked; each goes on where the last one stopped."""

Say = Callable[[str], None]


class _TransferError(Exception):
    """A transfer ended early; what came is kept."""


class _RefusedError(Exception):
    """A mirror does not have the file, or sends something else."""


def download(
    mirrors: Sequence[str],
    path: Path,
    *,
    checksum: Checksum | None,
    max_bytes: int,
    pause_seconds: float = 1.0,
    say: Say = print,
) -> None:
    """Fetch a file; it has its name only when it is whole and is what was published.

    What has come of it lies beside it, ending in ``.part``, and is gone on with, also by another
    run and from another mirror. Bytes that do not come to the checksum are thrown away, and fetched
    once more from the beginning, for the part may have been of another file.

    Args:
        mirrors: Addresses (http or https) of the same file, in order of preference.
        path: Where to put it; its folder is made.
        checksum: What it must come to; None where nothing is published, and then only the length
            that the server promises is verified.
        max_bytes: More than this is refused, so that a server gone wrong fills no disk.
        pause_seconds: Wait after a broken transfer, doubled each time.
        say: Told what happens, a line each.

    Raises:
        DataError: If no mirror gives the file; it says what each answered and what to do.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    answers = []
    for url in mirrors:
        if urlsplit(url).scheme not in ("http", "https"):
            raise DataError(f"{url}: only http and https are fetched from")
        try:
            _fetch(url, part, max_bytes, pause_seconds, say)
            if checksum is not None and not checksum.matches(part):
                say(f"{url}: what came is not what was published; fetching it once more, whole")
                part.unlink()
                _fetch(url, part, max_bytes, pause_seconds, say)
                checksum.verify(part, advice="another mirror is asked")
        except (_TransferError, _RefusedError) as error:
            answers.append(f"{url}: {error}")
        except DataError as error:
            part.unlink()  # to go on with it would be to keep what is wrong
            answers.append(f"{url}: {error}")
        else:
            part.replace(path)
            fsync_folder(path.parent)
            return
        say(answers[-1])
    raise DataError(
        f"{path.name} could not be fetched. " + "; ".join(answers) + ". Run this again to go on "
        "where it stopped, or fetch the file by other means and point --source at its folder"
    )


def _fetch(url: str, part: Path, max_bytes: int, pause_seconds: float, say: Say) -> None:
    """Have one mirror send what is missing, however often it breaks off."""
    for attempt in range(1, ATTEMPTS + 1):
        have = part.stat().st_size if part.is_file() else 0
        try:
            return _transfer(url, part, have, max_bytes, say)
        except (_TransferError, OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        if attempt == ATTEMPTS:
            raise _TransferError(f"broke off {ATTEMPTS} times, the last time because {reason}")
        say(f"{url}: broke off ({reason}); going on in {pause_seconds * 2 ** (attempt - 1):g} s")
        time.sleep(pause_seconds * 2 ** (attempt - 1))
    return None


def _transfer(url: str, part: Path, have: int, max_bytes: int, say: Say) -> None:
    """One request, for all that comes after the first ``have`` bytes."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        reply = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            if re.fullmatch(rf"bytes \*/{have}", error.headers.get("Content-Range") or ""):
                return  # there is nothing after what we have: it is whole
            part.unlink()
            raise _TransferError("the part here is no part of that file; it is dropped") from None
        if error.code in (408, 429) or error.code >= 500:
            raise _TransferError(f"the server answers {error.code} {error.reason}") from None
        raise _RefusedError(f"the server answers {error.code} {error.reason}") from None
    with reply:
        resumed = reply.status == 206
        if resumed and not (reply.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            part.unlink()
            raise _TransferError("the server sends another range than was asked for")
        start = have if resumed else 0  # a server that ignores Range sends the whole
        length = reply.headers.get("Content-Length")
        total = start + int(length) if length and length.isdigit() else None
        _check_room(part, start, total, max_bytes)
        size = f"{total / 1e6:.1f} MB" if total else "unknown size"
        say(f"{url}: {size}" + (f", going on after {start / 1e6:.1f} MB" if start else ""))
        with part.open("ab" if resumed else "wb") as file:
            got = start
            while block := reply.read(BLOCK):
                got += len(block)
                if got > max_bytes:
                    raise _RefusedError(f"sends more than {max_bytes:,} bytes, which is refused")
                try:
                    file.write(block)
                except OSError as error:
                    raise _RefusedError(f"{part} cannot be written: {error}") from error
        if total is not None and got < total:
            raise _TransferError(f"{got:,} of {total:,} bytes came")


def _check_room(part: Path, start: int, total: int | None, max_bytes: int) -> None:
    if total is None:
        return
    if total > max_bytes:
        raise _RefusedError(f"promises {total:,} bytes where at most {max_bytes:,} are expected")
    free = shutil.disk_usage(part.parent).free
    if total - start > free:
        raise _RefusedError(
            f"{(total - start) / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free"
        )

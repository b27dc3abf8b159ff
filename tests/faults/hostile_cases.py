"""Hostile files of each format: how to write them."""

import gzip
import itertools
import json
import os
import pickle
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from openstl_ext.datasets.synthetic.kth import write as write_kth

Write = Callable[[Path], Any]
Files = Iterator[tuple[str, Write]]
"""A label and a function that writes the file."""

TRACE = "executed"
"""File that hostile code would create beside the file."""
SECRET = "secret"
"""Folder beside the data, out of which nothing may be read."""


class Harm:
    """Runs a call when it is unpickled by pickle.load."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def pickles() -> Files:
    """Yield pickles that run code, or that unpack to more than they have."""
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (os.system, (f"touch {TRACE}",)),
        (eval, (f"open({TRACE!r}, 'w')",)),
        (exec, (f"open({TRACE!r}, 'w')",)),
        (open, (TRACE, "w")),
        (os.mkdir, (TRACE,)),
        (Path.touch, (Path(TRACE),)),
        (np.save, (TRACE, 1)),
        (np.fromfile, ("/dev/zero",)),
        (getattr, (os, "system")),
        (bytearray, (1 << 40,)),
        (list, (range(10),)),
        (__import__, ("antigravity",)),
        (itertools.repeat, (1,)),
        (np.zeros, (1 << 40,)),
    ]
    for protocol, (function, arguments) in itertools.product(range(6), calls):
        for wrap in ("bare", "in a dict"):
            harm = Harm(function, *arguments)
            value = harm if wrap == "bare" else {"mean": [harm]}
            try:
                data = pickle.dumps(value, protocol=protocol)
            except (TypeError, pickle.PicklingError):
                continue
            yield f"{function!r} {wrap} {protocol}", lambda path, data=data: path.write_bytes(data)
    laughs: Any = ["x"] * 10
    for _ in range(12):
        laughs = [laughs] * 10
    cycle: list[Any] = []
    cycle.append(cycle)
    raw = {
        "many values": pickle.dumps(laughs),
        "cycle": pickle.dumps(cycle),
        "memo": b"\x80\x04Nr\xff\xff\xff\x7f.",
        "memo of text": b"Np2147483647\n.",
        "bytes": b"\x80\x05\x8e" + struct.pack("<Q", 1 << 40) + b"x.",
        "byte array": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"x.",
        "text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"x.",
        "frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"N.",
        "depth": b"\x80\x04" + b"]" * 90_000 + b"a" * 89_999 + b".",
        "extension": b"\x80\x04\x82\x01.",
        "persistent": b"Pnumpy.load\n.",
        "empty": b"",
        "no end": b"\x80\x04N",
        "underflow": b"\x80\x04a.",
    }
    yield from (
        (name, lambda path, data=data: path.write_bytes(data)) for name, data in raw.items()
    )
    yield "sparse", lambda path: sparse(path, b"\x80\x04", 1 << 40)


def sparse(path: Path, start: bytes, size: int) -> None:
    """Write a file with a hole, which takes no space on the disk."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)


def header(shape: str, descr: str = "'<f4'", *, length: int | None = None) -> bytes:
    """Return the header of a .npy with any text as its shape."""
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (64 - (len(text) + 11) % 64) + "\n"
    size = len(text) if length is None else length
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", size) + text.encode("latin1")


HEADERS = {
    "huge": header("(1000000000000, 4)"),
    "huge square": header("(1000000, 1000000)"),
    "beyond 64 bits": header("(100000000000000000000000000, 4)"),
    "product overflows": header("(4294967296, 4294967296)"),
    "negative": header("(-4, -4)"),
    "negative one": header("(-1, 4)"),
    "empty": header("(0, 4)"),
    "flat": header("(16,)"),
    "scalar": header("()"),
    "text": header("('a', 4)"),
    "float": header("(4.0, 4)"),
    "expression": header(f"(open({TRACE!r}, 'w'), 4)"),
    "call": header("(__import__('os').getpid(), 4)"),
    "power": header("(9 ** 9 ** 9, 4)"),
    "deep": header("(" * 3000 + "4" + ")" * 3000),
    "objects": header("(4, 4)", "'|O'"),
    "texts": header("(4, 4)", "'<U1'"),
    "complex": header("(4, 4)", "'<c8'"),
    "dates": header("(4, 4)", "'<M8[s]'"),
    "records": header("(4, 4)", "[('a', '<f4')]"),
    "nested records": header("(4, 4)", "[('a', [('b', '|O')])]"),
    "void": header("(4, 4)", "'|V1000000000'"),
    "no type": header("(4, 4)", "'nothing'"),
    "length beyond": header("(4, 4)", length=2**32 - 1),
    "length of nothing": header("(4, 4)", length=0),
    "no magic": b"PK" + header("(4, 4)")[2:],
    "version": b"\x93NUMPY\x09\x00" + header("(4, 4)")[8:],
    "third version": b"\x93NUMPY\x03\x00" + header("(4, 4)")[8:],
    "cut": header("(4, 4)")[:40],
    "nothing": b"",
    "pickle": pickle.dumps(Harm(open, TRACE, "w")),
}


def arrays() -> Files:
    """Yield .npy files whose header does not fit the file, or is none."""
    for (name, start), rest in itertools.product(HEADERS.items(), (0, 64)):
        yield f"{name} {rest}", lambda path, d=start + bytes(rest): path.write_bytes(d)
    yield "more than stated", lambda path: path.write_bytes(header("(4, 4)") + bytes(65))
    yield "less than stated", lambda path: path.write_bytes(header("(4, 4)") + bytes(63))
    start = header("(1000, 1000000, 1000)")
    yield "sparse", lambda path: sparse(path, start, len(start) + 4 * 10**12)
    yield "hole in the header", lambda path: sparse(path, header("(4, 4)", length=2**32 - 1), 2**33)
    yield "device", lambda path: path.symlink_to("/dev/zero")
    yield "pipe", os.mkfifo
    yield "folder", lambda path: path.mkdir()


def archives() -> Files:
    """Yield .npz files with hostile members."""

    def write(path: Path, name: str, data: bytes, *, flag: int = 0) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.writestr(name, data)
        if flag:  # in both headers: encrypted
            raw = bytearray(path.read_bytes())
            raw[6] |= flag
            raw[raw.rindex(b"PK\x01\x02") + 8] |= flag
            path.write_bytes(bytes(raw))

    for (name, start), rest in itertools.product(HEADERS.items(), (0, 64)):
        if name != "pickle":
            yield f"{name} {rest}", lambda p, d=start + bytes(rest): write(p, "data.npy", d)
    good = header("(4, 4)") + bytes(64)
    yield "other name", lambda path: write(path, "../data.npy", good)
    yield "no array", lambda path: write(path, "data", good)
    yield "encrypted", lambda path: write(path, "data.npy", good, flag=1)
    yield "pickle", lambda path: write(path, "data.npy", HEADERS["pickle"])

    def bomb(path: Path) -> None:
        side = 10_000
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("data.npy", "w", force_zip64=True) as member,
        ):
            member.write(header(f"({side}, {side})"))
            for _ in range(side):
                member.write(bytes(4 * side))

    yield "bomb", bomb


def idx_files() -> Files:
    """Yield gzipped IDX files that unpack to too much, to too little, or to something else."""
    shapes = [(2_000_000, 28, 28), (700_000, 28, 28), (2**32 - 1,) * 3, (0, 28, 28), (2**31, 1, 1)]
    for shape, magic, size in itertools.product(shapes, (0x803, 0x801, 0xD03), (0, 784, 10**6)):
        data = struct.pack(">IIII", magic, *shape) + bytes(size)
        if shape[0] or size or magic != 0x803:
            yield f"{shape} {magic} {size}", lambda p, d=data: p.write_bytes(gzip.compress(d, 1))

    def endless(path: Path) -> None:
        with gzip.open(path, "wb", 1) as file:
            file.write(struct.pack(">IIII", 0x803, 2, 28, 28))
            for _ in range(300):
                file.write(bytes(1 << 20))

    yield "more than stated", endless
    yield "no gzip", lambda path: path.write_bytes(b"<html>404</html>")
    whole = gzip.compress(struct.pack(">IIII", 0x803, 10, 28, 28) + os.urandom(7840))
    yield "cut", lambda path: path.write_bytes(whole[:-20])
    yield "checksum", lambda path: path.write_bytes(whole[:-8] + bytes(8))


def texts() -> Files:
    """Yield JSON files that are too deep, too large, or no JSON."""
    deep = {
        name: (start * depth + middle + end * depth)
        for depth in (2000, 20_000, 100_000)
        for name, start, middle, end in (
            (f"lists {depth}", "[", "", "]"),
            (f"objects {depth}", '{"a":', "1", "}"),
            (f"frames {depth}", '{"train":{"samples":[', "", "]}}"),
            (f"open {depth}", "[", "", ""),
        )
    }
    numbers = {f"number {n}": '{"height": 1' + "0" * n + "}" for n in (400, 5000, 10**6)}
    parts = {
        "NaN": '{"height": NaN}',
        "infinite": '{"height": 1e999}',
        "no JSON": "<html>",
        "nothing": "",
        "comment": '{"height": 1} // high',
        "two": '{"height": 1}{"height": 2}',
        "surrogate": '{"height": "\\ud800"}',
        "other type": '{"height": [1]}',
        "null": "null",
    }
    for name, text in {**deep, **numbers, **parts}.items():
        for mark in ("utf-8", "utf-8-sig", "utf-16"):
            yield f"{name} {mark}", lambda p, t=text, m=mark: p.write_bytes(t.encode(m))
    for name, data in {
        "bytes": b'{"height": "\xff\xfe"}',
        "NUL": b"\0" * 100,
        "UTF-16 without a mark": '{"height": 1}'.encode("utf-16-le"),
        "half UTF-16": b"\xff\xfe{",
    }.items():
        yield name, lambda path, data=data: path.write_bytes(data)
    yield "sparse", lambda path: sparse(path, b"[", 1 << 40)
    yield "device", lambda path: path.symlink_to("/dev/zero")
    yield "pipe", os.mkfifo


def jpegs() -> Files:
    """Yield JPEG files that state huge frames, or that are something else."""
    whole = cv2.imencode(".jpg", np.full((120, 160, 3), 90, np.uint8))[1].tobytes()
    place = whole.index(b"\xff\xc0") + 5
    for height, width in itertools.product((3000, 30_000, 65_535), (2000, 20_000, 65_535)):
        data = whole[:place] + struct.pack(">HH", height, width) + whole[place + 4 :]
        yield f"{height} x {width}", lambda path, data=data: path.write_bytes(data)
    other = cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1].tobytes()
    for name, data in {
        "cut": whole[:-300],
        "PNG": other,
        "text": b"\xff\xd8<svg/>\xff\xd9",
    }.items():
        yield name, lambda path, data=data: path.write_bytes(data)
    yield "sparse", lambda path: sparse(path, whole, 1 << 40)


def films(folder: Path) -> Files:
    """Yield AVI files that state huge frames, or that are something else."""
    write_kth(folder, num_frames=4, persons=(1,))
    whole = next(folder.rglob("*.avi")).read_bytes()
    frame, stream = whole.index(b"avih") + 40, whole.index(b"strf") + 12
    for width, height in itertools.product((4000, 60_000), (3000, 60_000)):
        data = bytearray(whole)
        for place in (frame, stream):
            data[place : place + 8] = struct.pack("<II", width, height)
        yield f"{width} x {height}", lambda path, data=bytes(data): path.write_bytes(data)
    parts = {"cut": whole[:300], "head": whole[:12], "text": b"RIFF....AVI " + b"x" * 500}
    for name, data in {**parts, "other": b"GIF89a" + bytes(50)}.items():
        yield name, lambda path, data=data: path.write_bytes(data)


def zips() -> Files:
    """Yield archives whose members lead out of the folder, are no files, or fill the disk."""
    names = (
        *("../x", "a/../../x", "/tmp/x", "C:/x", "..\\x", "a//x", "./x", "x/", "x.", "x ", "con"),
        *(
            "NUL.txt",
            "a:b",
            "a\x01b",
            "a*b",
            "a?b",
            "a|b",
            'a"b',
            "a<b",
            "aux/x",
            "com1",
            "..",
            ".",
        ),
    )

    def write(path: Path, members: dict[str, bytes], kind: int = stat.S_IFREG) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                info = zipfile.ZipInfo(name)
                info.filename = name  # as a hostile program writes it
                info.external_attr = (kind | 0o777) << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, data)

    for name in names:
        if name != "x/":
            yield f"name {name!r}", lambda path, name=name: write(path, {"ok": b"", name: b"x"})
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
        yield f"kind {kind}", lambda path, kind=kind: write(path, {"x": b"/etc/passwd"}, kind)
    for pair in (("a", "A"), ("\u00e9", "e\u0301"), ("d/x", "D/x")):
        yield f"twins {pair}", lambda path, pair=pair: write(path, dict.fromkeys(pair, b"x"))
    yield "bomb", lambda path: write(path, {"x": bytes(300 << 20)})
    yield "many", lambda path: write(path, {str(n): b"" for n in range(1200)})
    yield "no zip", lambda path: path.write_bytes(b"PK\x03\x04" + bytes(60))


def loader_files() -> Files:
    """Yield loader files with frames outside of their folder."""
    for place, slash in itertools.product(
        ("../secret/s/0.npy", "s/../../secret/s/0.npy", "./../secret/s/0.npy", "..", "{0}/s/0.npy"),
        ("/", "\\"),
    ):
        for split, repeated in itertools.product(("train", "validation", "test"), (1, 20)):
            if slash == "\\" and "{" in place:
                continue

            def write(path: Path, place=place, slash=slash, split=split, n=repeated) -> None:
                target = place.format(path.parents[1] / SECRET).replace("/", slash)
                path.write_text(json.dumps({split: {"samples": [[target] * n]}}))

            yield f"{place} {slash} {split} {repeated}", write

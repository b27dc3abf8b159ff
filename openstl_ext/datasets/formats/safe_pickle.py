"""Numbers out of a pickle, without running anything that it says."""

import pickle
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError

MAX_BYTES = 2**20
"""Statistics are small; what is larger is something else."""


def read_plain_pickle(path: Path) -> Any:
    """Dicts, lists, tuples, texts, numbers and arrays of numbers, and nothing else.

    A pickle is a program. Here the few names that numpy writes are answered by stand-ins in plain
    Python that only keep bytes, so that no constructor of a library is called with what a stranger
    chose; any other name is refused before it is looked up.

    Args:
        path: The file; its arrays may come from any version of numpy.

    Raises:
        DataError: If it is damaged, too large, or asks for anything else.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        raise DataError(f"{path}: {size:,} bytes are too many for statistics; nothing was read")
    try:
        with path.open("rb") as file:
            return _plain(_Restricted(file).load())
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except Exception as error:  # a garbled pickle raises whatever its bytes happen to mean
        raise DataError(
            f"{path}: not a readable pickle ({type(error).__name__}: {error})"
        ) from None


class _Type:
    """Stands for ``numpy.dtype``; knows real numbers of native or given byte order only."""

    def __init__(self, code: str, *_: Any) -> None:
        if code not in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"):
            raise DataError(f"it holds values of type {code!r}, and only numbers are taken")
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in ("<", ">") else "="

    def values(self, data: Any, shape: Any, *, fortran: bool = False) -> NDArray[Any]:
        data = data.encode("latin1") if isinstance(data, str) else bytes(data)
        found = np.frombuffer(data, np.dtype(f"{self.order}{self.code}"))
        return found.reshape(shape, order="F" if fortran else "C")


class _Array:
    """Stands for ``numpy.ndarray``, which is made empty and told its values afterwards."""

    found: NDArray[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, data = state
        self.found = _typed(kind).values(data, shape, fortran=bool(fortran))


def _typed(kind: Any) -> _Type:
    if not isinstance(kind, _Type):
        raise DataError("it holds an array without a type")
    return kind


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _scalar(kind: Any, data: Any = b"") -> Any:
    return _typed(kind).values(data, ()).item()


def _frombuffer(data: Any, kind: Any, shape: Any, order: str) -> NDArray[Any]:
    return _typed(kind).values(data, shape, fortran=order == "F")


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How old protocols write bytes."""
    if encoding != "latin1" or not isinstance(text, str):
        raise DataError(f"it asks for the encoding {encoding!r}")
    return text.encode("latin1")


_CORES = ("numpy.core", "numpy._core")
_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _Type,
    ("numpy", "ndarray"): _Array,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): dict,
    **{(f"{core}.multiarray", "_reconstruct"): _reconstruct for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _frombuffer for core in _CORES},
}


class _Restricted(pickle.Unpickler):
    """An unpickler that finds stand-ins only."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise DataError(
                f"it asks for {module}.{name}; only dicts, lists, numbers and arrays are taken, "
                "and nothing was run. Save the statistics as npz: "
                "np.savez('norm_stats.npz', mean=..., std=...)"
            )
        return _KNOWN[module, name]

    def persistent_load(self, pid: Any) -> NoReturn:
        raise DataError(f"it refers to another file ({pid!r})")


def _plain(value: Any) -> Any:
    """Stand-ins as what they stand for; what is no plain value is refused."""
    if isinstance(value, _Array) and value.found is not None:
        return value.found
    if isinstance(value, dict):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, str | bytes | bool | int | float | np.ndarray):
        return value
    raise DataError(f"it holds a {type(value).__name__}, and only numbers are taken")

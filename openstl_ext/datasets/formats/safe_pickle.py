"""Read numbers and arrays from a pickle without running code of the file."""

import io
import pickle
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError

MAX_BYTES = 2**20
"""Statistics are small; a larger file is something else."""
PLACES_OF_MEMO = ("PUT", "BINPUT", "LONG_BINPUT")
MAX_VALUES = 100_000
"""Values in dicts and lists; an array is one value."""


def read_plain_pickle(path: Path) -> Any:
    """Read dicts, lists, tuples, texts, numbers and arrays of numbers; reject anything else.

    Args:
        path: The file; its arrays may be written by any version of numpy.

    Raises:
        DataError: If the file is damaged, too large, or contains anything else.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        raise DataError(f"{path}: {size:,} bytes, expected at most {MAX_BYTES:,} for statistics")
    try:
        data = path.read_bytes()
        _check_memo(data)
        return _plain(RestrictedUnpickler(io.BytesIO(data)).load(), iter(range(MAX_VALUES)))
    except Exception as error:  # a damaged pickle can raise any exception
        raise DataError(
            f"{path}: not a readable pickle of numbers ({type(error).__name__}: {error})"
        ) from None


class RestrictedUnpickler(pickle.Unpickler):
    """Unpickler that allows a fixed list of names.

    The names that numpy writes are replaced by the classes and functions below, because numpy's
    own constructors accept states that corrupt memory.

    Source:
        https://docs.python.org/3/library/pickle.html#restricting-globals
    """

    def find_class(self, module: str, name: str) -> Any:
        """Return the replacement of an allowed name."""
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(
                f"{module}.{name} is forbidden, and nothing was run; save the statistics as npz: "
                "np.savez('norm_stats.npz', mean=..., std=...)"
            )
        return ALLOWED[module, name]


class _DType:
    """Replacement of ``numpy.dtype``."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in ("<", ">") else "="

    def array(self, data: Any, shape: Any, *, fortran: bool = False) -> NDArray[Any]:
        data = data.encode("latin1") if isinstance(data, str) else data
        values = np.frombuffer(data, np.dtype(f"{self.order}{self.code}"))
        return values.reshape(shape, order="F" if fortran else "C")


class _Array:
    """Replacement of ``numpy.ndarray``, which is created empty and receives its values later."""

    values: NDArray[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        self.values = _DType.array(dtype, data, shape, fortran=bool(fortran))


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _scalar(dtype: _DType, data: Any) -> Any:
    return dtype.array(data, ()).item()


def _frombuffer(data: Any, dtype: _DType, shape: Any, order: str) -> NDArray[Any]:
    return dtype.array(data, shape, fortran=order == "F")


def _encode(text: str, _: str) -> bytes:
    """Replacement of ``codecs.encode``, with which protocols 0 to 2 write bytes."""
    return text.encode("latin1")


_CORES = ("numpy.core", "numpy._core")
ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): _DType,
    ("numpy", "ndarray"): _Array,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): dict,
    **{(f"{core}.multiarray", "_reconstruct"): _reconstruct for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): _frombuffer for core in _CORES},
}


def _check_memo(data: bytes) -> None:
    """Raise an error for a place of the memo beyond the file: the unpickler would fill it."""
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in PLACES_OF_MEMO and int(argument or 0) > len(data):
            raise pickle.UnpicklingError(f"place {argument} of the memo in {len(data)} bytes")


def _plain(value: Any, budget: Iterator[int]) -> Any:
    """Replace the classes above by plain values and arrays of numbers.

    Args:
        value: A value of the pickle.
        budget: Has one item for each value that may follow: a list may contain one list many
            times, and so on, so that a small file has more values than any memory.
    """
    if next(budget, None) is None:
        raise pickle.UnpicklingError(f"more than {MAX_VALUES:,} values")
    if isinstance(value, dict):
        return {_plain(k, budget): _plain(inner, budget) for k, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, budget) for inner in value]
    array = value.values if isinstance(value, _Array) else value
    if isinstance(array, np.ndarray) and array.dtype.kind in "fiub":
        return array
    if value is None or isinstance(value, str | bytes | bool | int | float):
        return value
    raise TypeError(f"{getattr(array, 'dtype', type(value).__name__)} is not a number")

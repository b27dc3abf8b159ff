"""A second device on the CPU, to test without a GPU that tensors of two devices are not mixed.

Its tensors hold their values on the CPU and state the device ``cuda:0``. As on a GPU, an operation
with one of them and a CPU tensor is an error, except for the exceptions of PyTorch: 0-dimensional
tensors, copies and indices. Kernels, streams and memory are not imitated, and PyTorch's own
recurrent layers, such as ``nn.GRU``, have no gradient on it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE, META = torch.device("cuda", 0), torch.device("meta")
OPS = torch.ops.aten
INDEXING = {OPS.index, OPS.index_put, OPS.index_put_, OPS._index_put_impl_, OPS._unsafe_index}
TWO_DEVICES = {OPS._to_copy, OPS.copy_, OPS.copy, OPS._local_scalar_dense} | INDEXING
TENSOR_FROM_DATA = {torch.tensor, torch.as_tensor, torch.asarray}


class SecondTensor(Tensor):
    """A tensor of the second device; ``held`` has its values."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> Self:
        facts = {
            "dtype": held.dtype,
            "layout": held.layout,
            "storage_offset": held.storage_offset(),
        }
        with torch.inference_mode(False):
            # PyTorch's engine has no CUDA stream here, but works on meta tensors
            self = Tensor._make_wrapper_subclass(
                cls, held.size(), strides=held.stride(), device=META, **facts
            )
        self.held = held
        return self

    device = property(lambda _: DEVICE)  # type: ignore[assignment]
    is_cuda = property(lambda _: True)  # type: ignore[assignment]
    is_meta = property(lambda _: False)  # type: ignore[assignment]

    def __repr__(self, **_: Any) -> str:
        return f"SecondTensor({self.held})"

    def __reduce_ex__(self, protocol: int) -> Any:
        held = self.held.detach()
        kept = nn.Parameter(held, self.requires_grad) if isinstance(self, nn.Parameter) else held
        return kept.__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copied: Tensor = SecondTensor(self.held.clone())
        if isinstance(self, nn.Parameter):
            copied = nn.Parameter(copied, self.requires_grad)
        memo[id(self)] = copied
        return copied

    def tolist(self) -> Any:
        return self.held.tolist()

    def numpy(self, **_: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    __array__ = numpy

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return called(func, args, kwargs or {})


def called(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Compute an operation on the CPU; its result is on the device of its arguments.

    Raises:
        RuntimeError: If the arguments are on two devices.
    """
    if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"):
        with Operations():
            result = func.decompose(*args, **kwargs)
        if result is not NotImplemented:
            return result
    packet = func.overloadpacket
    if packet is OPS.is_pinned:
        return False
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    second = [x for x in tensors if isinstance(x, SecondTensor)]
    on_second = bool(second)
    first = [x for x in tensors if not isinstance(x, SecondTensor) and x.ndim]
    allowed = packet in TWO_DEVICES and (
        packet not in INDEXING or isinstance(args[0], SecondTensor)
    )
    if second and first and not allowed:
        raise RuntimeError(f"{func}: Expected all tensors to be on the same device")
    if kwargs.get("device") is not None:
        on_second = torch.device(kwargs["device"]) == META
        kwargs = {**kwargs, "device": torch.device("cpu")}
    elif packet is OPS.copy_:
        on_second = isinstance(args[0], SecondTensor)
    result = func(*tree_map(held, args), **tree_map(held, kwargs))
    if packet is OPS._conj:  # a conjugate by a flag, which the outer tensor has not
        result = result.resolve_conj()
    known = {id(x.held): x for x in second}

    def placed(value: Any) -> Any:
        if not isinstance(value, Tensor) or isinstance(value, SecondTensor) or not on_second:
            return value
        return known[id(value)] if id(value) in known else SecondTensor(value)

    return tree_map(placed, result)


def held(value: Any) -> Any:
    """Return the CPU tensor behind a tensor of the second device; anything else as it is."""
    return value.held if isinstance(value, SecondTensor) else value


class Operations(TorchDispatchMode):
    """Create tensors on the second device where operations ask for it."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return called(func, args, kwargs or {})


class Calls(TorchFunctionMode):
    """Replace the name of the device before PyTorch looks for a GPU."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.device:
            return func(*args, **kwargs)
        if func in TENSOR_FROM_DATA:
            return from_data(func, args, kwargs)
        if getattr(func, "__name__", "") == "cuda":
            return args[0].to(META)
        args = tuple(META if names_device(x) else x for x in args)
        return func(*args, **{k: META if names_device(x) else x for k, x in kwargs.items()})


def from_data(func: Callable[..., Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Make a tensor of values, which PyTorch does before operations are dispatched."""
    if not names_device(kwargs.get("device")):
        return args[0].cpu() if isinstance(args[0], SecondTensor) else func(*args, **kwargs)
    kwargs.pop("device")
    made = args[0] if isinstance(args[0], SecondTensor) else func(*args, **kwargs)
    return made if isinstance(made, SecondTensor) else SecondTensor(made)


def names_device(value: Any) -> bool:
    """Return whether a value is the second device or its name."""
    if isinstance(value, torch.device):
        return value.type == "cuda"
    return isinstance(value, str) and value.partition(":")[0] == "cuda"


@contextmanager
def second_device() -> Iterator[None]:
    """Let ``cuda`` be the second device within the block; autocast is that of the CPU."""
    kept = torch.autocast.__init__, torch.is_autocast_enabled, torch.get_autocast_dtype
    start, is_enabled, dtype = kept

    def cpu(kind: str) -> str:
        return "cpu" if kind in ("cuda", "meta") else kind

    try:
        torch.autocast.__init__ = lambda self, kind, *a, **k: start(self, cpu(kind), *a, **k)
        torch.is_autocast_enabled = lambda kind="cpu": is_enabled(cpu(kind))
        torch.get_autocast_dtype = lambda kind="cpu": dtype(cpu(kind))
        with Operations(), Calls():
            yield
    finally:
        torch.autocast.__init__, torch.is_autocast_enabled, torch.get_autocast_dtype = kept


def moved(values: Any) -> Any:
    """Copy tensors, in any nesting, to the second device."""
    return tree_map(lambda x: SecondTensor(x.clone()) if isinstance(x, Tensor) else x, values)

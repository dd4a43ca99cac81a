"""Python functions of pairs, as FlexAttention has them, to regions of a spec: the function runs once, on proxies that write down
what is asked of them."""
import contextlib
import functools
import operator
import sys

from ..errors import TraceError
from .arithmetic import Maker
from .captures import Captures, Table, current, runtime
from .rebind import Rebinder
from .region import YIELDS, Region
from .value import Value

__all__ = ["Captures", "Region", "Table", "and_masks", "or_masks", "runtime", "trace"]


def trace(function, kind, captures):
    """The region of this kind ("score", "mask", "block_set", "where", "pool_score", "gate") that `function` describes."""
    region = Region(kind, captures)
    captures.region, before = region, captures.region
    token = current.set(captures)
    try:
        with _tensors_read_by_proxies(captures):
            twin = Rebinder(captures).replace(function, "function")
            result = twin(*(Value(region, node) for node in region.arguments))
        if result is None:
            raise TraceError(f"{_name(function)} returns nothing")
        node = Maker(region).node(result)
        if YIELDS[kind] == "i1" and node.type == "f32":
            raise TraceError(f"{_name(function)} returns a float; it says whether a pair takes part, by a truth value")
        region.result = Maker(region).cast(node, YIELDS[kind])
    finally:
        captures.region = before
        current.reset(token)
    return region


def _name(function):
    return getattr(function, "__qualname__", repr(function))


def and_masks(*masks):
    """The mask of pairs that all of `masks` allow."""
    def all_of(b, h, q_idx, kv_idx):
        return functools.reduce(operator.and_, (mask(b, h, q_idx, kv_idx) for mask in masks)) if masks else True
    return all_of


def or_masks(*masks):
    """The mask of pairs that one of `masks` allows."""
    def one_of(b, h, q_idx, kv_idx):
        return functools.reduce(operator.or_, (mask(b, h, q_idx, kv_idx) for mask in masks)) if masks else False
    return one_of


def _tensors_read_by_proxies(captures):
    """PyTorch tensors that a function reaches otherwise than by closing over them (attributes of objects, say) read by proxies, too:
    the index is no tensor, so only a mode sees it."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "overrides"):
        return contextlib.nullcontext()

    class Reads(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            if function is torch.Tensor.__getitem__ and _has_proxy(args[1]):
                return captures.table_of(args[0], "table")[args[1]]
            return function(*args, **(kwargs or {}))
    return Reads()


def _has_proxy(index):
    return any(isinstance(one, (Value, Table)) for one in (index if isinstance(index, tuple) else (index,)))

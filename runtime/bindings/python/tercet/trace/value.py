"""The proxy that stands for a number of a pair while a Python function is traced. It takes Python's operators, PyTorch's and
NumPy's functions, and refuses what a region cannot hold: looking at the number in Python."""
import sys

from ..errors import TraceError
from . import arithmetic
from .place import place

_OPERATORS = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "truediv", "floordiv": "floordiv", "mod": "mod", "pow": "pow",
    "and": "and", "or": "or", "xor": "xor", "lshift": "lshift", "rshift": "rshift",
}
_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


class NoSuchMethod(TraceError, AttributeError):
    """hasattr must be able to say no."""


class Operators:
    """Operators over `_value()`, the proxy that stands for this object in a calculation."""
    __slots__ = ()
    __hash__ = object.__hash__
    __array_priority__ = 1e6

    def _value(self):
        raise NotImplementedError

    def __neg__(self):
        return call("neg", self)

    def __pos__(self):
        return self._value()

    def __abs__(self):
        return call("abs", self)

    def __invert__(self):
        return call("invert", self)

    def __bool__(self):
        raise TraceError(place(
            "Python control flow (if, and, or, not, a chained comparison) on a number that is known only when the kernel runs; "
            "combine conditions by & | ~ and choose by torch.where or numpy.where"))

    def __iter__(self):
        raise TraceError(place("iterates over a number of a pair"))

    def _number(self):
        raise TraceError(place(
            "makes a Python number of a number that is known only when the kernel runs (int(), float(), .item(), range(), the math "
            "module, or an index into a list or an array that the function does not close over)"))

    __index__ = __int__ = __float__ = __complex__ = item = _number

    def __array__(self, *_, **__):
        self._number()

    def __jax_array__(self):
        raise TraceError(place("calls a function of jax.numpy on a number of a pair; use operators, or the function of numpy"))

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return call(arithmetic.plain_name(function), *args, asked="torch", **(kwargs or {}))

    def __array_function__(self, function, types, args, kwargs):
        return call(function.__name__, *args, asked="numpy", **kwargs)

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if method != "__call__":
            raise TraceError(place(f"numpy.{ufunc.__name__}.{method} is no function of a pair's numbers"))
        return call(ufunc.__name__, *args, asked="numpy", **kwargs)

    def __getattr__(self, name):
        if name.startswith("__") or name.startswith("_"):
            raise AttributeError(name)
        if arithmetic.knows(name):
            return lambda *args, **kwargs: call(name, self, *args, **kwargs)
        raise NoSuchMethod(place(f".{name} is not known of a number of a pair; {arithmetic.what_there_is()}"))


def _binary(name):
    def method(self, other):
        return call(name, self, other)

    def reflected(self, other):
        return call(name, other, self)
    return method, reflected


for _python, _name in _OPERATORS.items():
    _method, _reflected = _binary(_name)
    setattr(Operators, f"__{_python}__", _method)
    setattr(Operators, f"__r{_python}__", _reflected)
for _name in _COMPARISONS:
    setattr(Operators, f"__{_name}__", _binary(_name)[0])


class Value(Operators):
    """A node of a region under construction."""
    __slots__ = ("region", "node")

    def __init__(self, region, node):
        self.region, self.node = region, node

    def _value(self):
        return self

    shape = ()
    ndim = 0

    def dim(self):
        return 0

    @property
    def dtype(self):
        torch = sys.modules.get("torch")
        name = {"f32": "float32", "index": "int32", "i1": "bool"}[self.node.type]
        return getattr(torch, name) if torch else name

    @property
    def device(self):
        torch = sys.modules.get("torch")
        return torch.device("cpu") if torch else "cpu"

    def __repr__(self):
        return f"<{self.node.type} of a traced {self.region.kind}>"


def call(name, *args, asked="", **kwargs):
    """Applies the function of this name to proxies and Python numbers."""
    region = next((found for found in map(_region_of, [*args, *kwargs.values()]) if found), None)
    if region is None:  # only captured scalars: they know the region that is being traced
        raise TraceError(place(f"{name} of no number of a pair"))
    return arithmetic.apply(region, name, args, kwargs, asked)


def _region_of(thing):
    if isinstance(thing, Value):
        return thing.region
    if isinstance(thing, (tuple, list)):
        return next((found for found in map(_region_of, thing) if found), None)
    return thing._value().region if isinstance(thing, Operators) else None

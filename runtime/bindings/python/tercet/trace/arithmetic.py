"""Functions of a pair's numbers by name: operators, and the functions that PyTorch and NumPy share. Types follow PyTorch: bool,
then int, then float; / makes floats, // rounds down, % has the sign of its right side."""
from ..errors import TraceError
from .place import place

_TYPES = ("i1", "index", "f32")
FUNCTIONS = {}
#: Other names of the same function, of operators, PyTorch and NumPy.
ALIASES = {
    "subtract": "sub", "multiply": "mul", "divide": "truediv", "true_divide": "truediv", "div": "truediv",
    "floor_divide": "floordiv", "remainder": "mod", "power": "pow", "float_power": "pow", "negative": "neg",
    "absolute": "abs", "fabs": "abs", "bitwise_and": "and", "bitwise_or": "or", "bitwise_xor": "xor", "bitwise_not": "invert",
    "bitwise_invert": "invert", "bitwise_left_shift": "lshift", "left_shift": "lshift", "bitwise_right_shift": "rshift",
    "right_shift": "rshift", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq", "not_equal": "ne",
    "clip": "clamp", "positive": "pos", "max": "maximum", "min": "minimum", "type": "to", "astype": "to",
    "log_sigmoid": "logsigmoid",
}


def function(*names):
    def add(body):
        for name in names or (body.__name__,):
            FUNCTIONS[name] = body
        return body
    return add


def plain_name(function):
    name = getattr(function, "__name__", str(function))
    if name in ("__get__", "__set__"):  # a property of tensors
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    return name


def _known_name(name):
    if name.startswith("__") and name.endswith("__"):
        name = name[2:-2]
    return ALIASES.get(name, name)


def knows(name):
    return _known_name(name) in FUNCTIONS


def what_there_is():
    return "regions have " + ", ".join(sorted(name for name in FUNCTIONS if not name.startswith(("new_", "_"))))


def apply(region, name, args, kwargs, asked=""):
    known = _known_name(name)
    reflected = known not in FUNCTIONS and known[:1] == "r" and ALIASES.get(known[1:], known[1:])
    if reflected in FUNCTIONS:
        known, args = reflected, args[::-1]
    if known not in FUNCTIONS:
        said = f"{asked}.{name}" if asked else name
        raise TraceError(place(f"{said} is not an op of regions; {what_there_is()}"))
    kwargs = {key: value for key, value in kwargs.items() if (key, value) not in (("inplace", False), ("out", None))}
    try:
        return wrap(region, FUNCTIONS[known](Maker(region), *args, **kwargs))
    except TypeError as error:
        if isinstance(error, TraceError):
            raise
        raise TraceError(place(f"{name} does not take these arguments here: {error}")) from None


def wrap(region, node):
    from .value import Value
    return Value(region, node)


class Maker:
    """Makes nodes of one region; takes proxies, captured scalars and Python numbers for operands."""

    def __init__(self, region):
        self.region, self.op = region, region.op

    def node(self, thing):
        from .value import Operators
        if isinstance(thing, Operators):
            return thing._value().node
        if hasattr(type(thing), "_traced"):
            return thing._traced(self.region.captures, "number").node
        if hasattr(thing, "text") and hasattr(thing, "operands"):
            return thing
        if isinstance(thing, bool):
            return self.region.constant(thing, "i1")
        if isinstance(thing, int):
            return self.region.constant(thing, "index")
        if isinstance(thing, float):
            return self.region.constant(thing, "f32")
        return self.array(thing)

    def array(self, thing):
        if getattr(thing, "ndim", None) != 0 or not hasattr(thing, "dtype"):
            what = f"an array of shape {list(thing.shape)}" if hasattr(thing, "shape") else f"{type(thing).__name__}"
            raise TraceError(place(f"computes with {what}; a pair's numbers go with numbers, and with elements of arrays"))
        if getattr(thing, "requires_grad", False):
            return self.region.captures.table_of(thing, "scalar").scalar(self.region).node
        return self.node(thing.item())

    def floats(self, *things):
        return [self.cast(thing, "f32") for thing in things]

    def common(self, *things):
        """The operands in the type that PyTorch would compute in. A Python number takes part by its kind."""
        nodes = [self.node(thing) for thing in things]
        type = _TYPES[max(_TYPES.index(node.type) for node in nodes)]
        return type, [self.cast(node, type) for node in nodes]

    def cast(self, thing, type):
        node = self.node(thing)
        if node.type == type:
            return node
        if node.constant is not None:
            return self.region.constant(node.constant, type)
        if type == "i1":
            zero = self.region.constant(0, node.type)
            kind = "i ne" if node.type == "index" else "f une"
            return self.op(f"arith.cmp{kind}, {{0}}, {{1}} : {node.type}", (node, zero), "i1", "nonzero")
        if node.type == "i1":
            one, zero = self.region.constant(1, type), self.region.constant(0, type)
            low = 0 if type == "index" else None
            return self.op(f"arith.select {{0}}, {{1}}, {{2}} : {type}", (node, one, zero), type, "number", low=low)
        if type == "f32":
            narrow = self.op("arith.index_cast {0} : index to i32", (node,), "i32", "narrow")
            return self.op("arith.sitofp {0} : i32 to f32", (narrow,), "f32", "real")
        whole = self.op("arith.fptosi {0} : f32 to i32", (node,), "i32", "whole")
        return self.op("arith.index_cast {0} : i32 to index", (whole,), "index", "integer")

    def pair(self, integer, real, operands, hint, low=None, truth=None):
        """An op with a name for integers, one for floats, and maybe one for truth values."""
        type, nodes = self.common(*operands)
        if type == "i1" and truth:
            return self.op(f"{truth} {_slots(nodes)} : i1", nodes, "i1", hint)
        if type == "i1":
            type, nodes = "index", [self.cast(node, "index") for node in nodes]
        name = integer if type == "index" else real
        if name is None:
            raise TraceError(place(f"{hint} of floats; it is for integers and truth values"))
        bound = low(*[node.low for node in nodes]) if low and type == "index" else None
        return self.op(f"{name} {_slots(nodes)} : {type}", nodes, type, hint, low=bound)

    def real(self, name, thing, hint=None):
        return self.op(f"math.{name} {{0}} : f32", self.floats(thing), "f32", hint or name)

    def select(self, condition, yes, no):
        type, (yes, no) = self.common(yes, no)
        low = min(yes.low, no.low) if type == "index" and yes.low is not None and no.low is not None else None
        return self.op(f"arith.select {{0}}, {{1}}, {{2}} : {type}", (self.cast(condition, "i1"), yes, no), type, "chosen", low=low)

    def compare(self, integer, real, a, b):
        type, nodes = self.common(a, b)
        if type == "i1" and integer not in ("eq", "ne"):
            type, nodes = "index", [self.cast(node, "index") for node in nodes]
        kind = f"f {real}" if type == "f32" else f"i {integer}"
        return self.op(f"arith.cmp{kind}, {{0}}, {{1}} : {type}", nodes, "i1", integer.lstrip("s") or real.lstrip("o"))


def _slots(nodes):
    return ", ".join(f"{{{number}}}" for number in range(len(nodes)))


from . import functions, operators  # noqa: E402,F401  they fill FUNCTIONS

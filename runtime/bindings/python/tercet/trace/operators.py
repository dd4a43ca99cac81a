"""Python's operators on numbers of a pair: each makes nodes by a Maker."""
import math

from ..errors import TraceError
from .arithmetic import function
from .place import place


def both(rule):
    return lambda a, b: rule(a, b) if a is not None and b is not None else None


@function()
def add(m, a, b, *, alpha=1):
    b = b if alpha == 1 else mul(m, b, alpha)
    return m.pair("arith.addi", "arith.addf", (a, b), "sum", both(lambda x, y: x + y), "arith.ori")


@function()
def sub(m, a, b, *, alpha=1):
    b = m.node(b if alpha == 1 else mul(m, b, alpha))
    below = (lambda x, y: x - b.constant) if b.constant is not None else (lambda x, y: None)
    return m.pair("arith.subi", "arith.subf", (a, b), "difference", both(below))


@function()
def mul(m, a, b):
    return m.pair("arith.muli", "arith.mulf", (a, b), "product", both(lambda x, y: x * y if min(x, y) >= 0 else None), "arith.andi")


@function()
def truediv(m, a, b, *, rounding_mode=None):
    if rounding_mode == "floor":
        return floordiv(m, a, b)
    if rounding_mode:
        raise TraceError(place(f"div with rounding_mode={rounding_mode!r}"))
    return m.op("arith.divf {0}, {1} : f32", m.floats(a, b), "f32", "quotient")


@function()
def floordiv(m, a, b):
    type, (a, b) = m.common(a, b)
    if type == "f32":
        return m.real("floor", truediv(m, a, b))
    a, b = m.cast(a, "index"), m.cast(b, "index")
    if _counts(a) and _counts(b):
        return m.op("arith.divsi {0}, {1} : index", (a, b), "index", "quotient", low=0)
    return m.op("arith.floordivsi {0}, {1} : index", (a, b), "index", "quotient")


@function()
def mod(m, a, b):
    type, (a, b) = m.common(a, b)
    if type != "f32":
        a, b = m.cast(a, "index"), m.cast(b, "index")
        if _counts(a) and _counts(b):
            return m.op("arith.remsi {0}, {1} : index", (a, b), "index", "rest", low=0)
    node = sub(m, a, mul(m, floordiv(m, a, b), b))
    if b.low is not None and b.low > 0:
        node.low = 0
    return node


def _counts(node):
    return node.low is not None and node.low >= 0


@function()
def fmod(m, a, b):
    type, (a, b) = m.common(a, b)
    if type == "f32":
        raise TraceError(place("fmod of floats"))
    return m.op("arith.remsi {0}, {1} : index", [m.cast(a, "index"), m.cast(b, "index")], "index", "rest", low=0 if _counts(a) else None)


@function("pow")
def power(m, a, b):
    a, b = m.node(a), m.node(b)
    if b.constant is not None and float(b.constant).is_integer() and abs(b.constant) <= 16:
        times = int(abs(b.constant))
        if b.constant < 0 or b.type == "f32":
            a = m.cast(a, "f32")
        if times == 0:
            return m.cast(1, a.type)
        result = None
        while times:
            if times & 1:
                result = a if result is None else mul(m, result, a)
            times >>= 1
            a = mul(m, a, a) if times else a
        return truediv(m, 1.0, result) if b.constant < 0 else result
    if b.constant in (0.5, -0.5):
        return m.real("sqrt" if b.constant > 0 else "rsqrt", a)
    if a.constant is not None and a.constant > 0:
        if a.type != "f32" and b.type != "f32":
            if a.constant & (a.constant - 1):
                raise TraceError(place("an integer to the power of an integer of a pair; make the base a float"))
            return lshift(m, 1, mul(m, b, a.constant.bit_length() - 1))
        return m.real("exp2", mul(m, m.cast(b, "f32"), math.log2(a.constant)))
    raise TraceError(place("powers have an exponent from -16 to 16 that is a Python integer, or 0.5 or -0.5, or a positive Python number for a base"))


@function()
def neg(m, a):
    a = m.node(a)
    if a.type == "f32":
        return m.op("arith.negf {0} : f32", (a,), "f32", "minus")
    return m.op("arith.subi {0}, {1} : index", (m.cast(0, "index"), m.cast(a, "index")), "index", "minus")


@function()
def pos(m, a):
    return m.node(a)


@function("abs")
def absolute(m, a):
    a = m.node(a)
    if a.type == "f32":
        return m.op("math.absf {0} : f32", (a,), "f32", "size")
    return m.op("math.absi {0} : index", (m.cast(a, "index"),), "index", "distance", low=0)


for _name, _integer, _real in (("lt", "slt", "olt"), ("le", "sle", "ole"), ("gt", "sgt", "ogt"), ("ge", "sge", "oge"), ("eq", "eq", "oeq"),
                               ("ne", "ne", "une")):
    function(_name)(lambda m, a, b, integer=_integer, real=_real: m.compare(integer, real, a, b))


@function("and")
def conjunction(m, a, b):
    for one, other in ((a, b), (b, a)):
        if m.node(one).constant is True and m.node(other).type == "i1":
            return m.node(other)
    return m.pair("arith.andi", None, (a, b), "both", lambda x, y: 0 if (x is not None and x >= 0) or (y is not None and y >= 0) else None,
                  "arith.andi")


@function("or")
def disjunction(m, a, b):
    for one, other in ((a, b), (b, a)):
        if m.node(one).constant is False and m.node(other).type == "i1":
            return m.node(other)
    return m.pair("arith.ori", None, (a, b), "either", both(lambda x, y: 0 if min(x, y) >= 0 else None), "arith.ori")


@function("xor")
def exclusive(m, a, b):
    return m.pair("arith.xori", None, (a, b), "unlike", both(lambda x, y: 0 if min(x, y) >= 0 else None), "arith.xori")


@function()
def invert(m, a):
    a = m.node(a)
    return exclusive(m, a, True if a.type == "i1" else -1)


@function()
def lshift(m, a, b):
    return m.op("arith.shli {0}, {1} : index", (m.cast(a, "index"), m.cast(b, "index")), "index", "shifted")


@function()
def rshift(m, a, b):
    a = m.cast(a, "index")
    return m.op("arith.shrsi {0}, {1} : index", (a, m.cast(b, "index")), "index", "shifted", low=0 if _counts(a) else None)


for _name, _body in (("logical_and", conjunction), ("logical_or", disjunction), ("logical_xor", exclusive)):
    function(_name)(lambda m, a, b, body=_body: body(m, m.cast(a, "i1"), m.cast(b, "i1")))


@function()
def logical_not(m, a):
    return invert(m, m.cast(a, "i1"))

"""The functions themselves: each makes nodes by a Maker. Where a function has a kink, its gradient there is PyTorch's."""
import math

from ..errors import TraceError
from .arithmetic import function
from .place import place


def _both(rule):
    return lambda a, b: rule(a, b) if a is not None and b is not None else None


@function()
def add(m, a, b, *, alpha=1):
    b = b if alpha == 1 else mul(m, b, alpha)
    return m.pair("arith.addi", "arith.addf", (a, b), "sum", _both(lambda x, y: x + y), "arith.ori")


@function()
def sub(m, a, b, *, alpha=1):
    b = m.node(b if alpha == 1 else mul(m, b, alpha))
    below = (lambda x, y: x - b.constant) if b.constant is not None else (lambda x, y: None)
    return m.pair("arith.subi", "arith.subf", (a, b), "difference", _both(below))


@function()
def mul(m, a, b):
    return m.pair("arith.muli", "arith.mulf", (a, b), "product", _both(lambda x, y: x * y if min(x, y) >= 0 else None), "arith.andi")


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
    return m.pair("arith.ori", None, (a, b), "either", _both(lambda x, y: 0 if min(x, y) >= 0 else None), "arith.ori")


@function("xor")
def exclusive(m, a, b):
    return m.pair("arith.xori", None, (a, b), "unlike", _both(lambda x, y: 0 if min(x, y) >= 0 else None), "arith.xori")


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


@function()
def where(m, condition, a, b):
    if hasattr(condition, "node") and condition.node.type != "i1":  # score.where(condition, other)
        condition, a = a, condition
    return m.select(condition, a, b)


@function()
def masked_fill(m, a, mask, value):
    return m.select(mask, value, a)


@function()
def maximum(m, a, b):
    known = lambda x, y: max((z for z in (x, y) if z is not None), default=None)
    return m.pair("arith.maxsi", "arith.maximumf", (a, b), "larger", known, "arith.ori")


@function()
def minimum(m, a, b):
    return m.pair("arith.minsi", "arith.minimumf", (a, b), "smaller", _both(min), "arith.andi")


@function()
def fmax(m, a, b):
    return m.pair("arith.maxsi", "arith.maxnumf", (a, b), "larger")


@function()
def fmin(m, a, b):
    return m.pair("arith.minsi", "arith.minnumf", (a, b), "smaller")


@function()
def clamp(m, a, min=None, max=None, *, a_min=None, a_max=None):
    low, high = (min if min is not None else a_min), (max if max is not None else a_max)
    a = m.node(a)
    for bound, integer, name in ((low, maximum, "olt"), (high, minimum, "ogt")):
        if bound is None:
            continue
        type, (x, limit) = m.common(a, bound)
        a = integer(m, x, limit) if type != "f32" else m.select(m.compare("", name, x, limit), limit, x)
    return a


function("clamp_min")(lambda m, a, min: clamp(m, a, min))
function("clamp_max")(lambda m, a, max: clamp(m, a, None, max))

for _name in ("exp", "exp2", "log", "log2", "tanh", "sqrt", "rsqrt"):
    function(_name)(lambda m, a, name=_name: m.real(name, a))


@function()
def floor(m, a):
    return m.node(a) if m.node(a).type != "f32" else m.real("floor", a)


@function()
def ceil(m, a):
    return m.node(a) if m.node(a).type != "f32" else m.real("ceil", a)


function("log1p")(lambda m, a: m.real("log", add(m, 1.0, a)))
function("expm1")(lambda m, a: sub(m, m.real("exp", a), 1.0))
function("log10")(lambda m, a: mul(m, m.real("log2", a), math.log10(2)))
function("reciprocal")(lambda m, a: truediv(m, 1.0, a))
function("square")(lambda m, a: mul(m, a, a))


@function()
def sigmoid(m, a):
    return truediv(m, 1.0, add(m, 1.0, m.real("exp", neg(m, m.cast(a, "f32")))))


@function()
def silu(m, a):
    return mul(m, a, sigmoid(m, a))


@function()
def gelu(m, a, approximate="none"):
    if approximate != "tanh":
        raise TraceError(place("gelu without approximate='tanh': regions have no erf"))
    a = m.cast(a, "f32")
    inner = mul(m, math.sqrt(2 / math.pi), add(m, a, mul(m, 0.044715, power(m, a, 3))))
    return mul(m, mul(m, 0.5, a), add(m, 1.0, m.real("tanh", inner)))


@function()
def relu(m, a):
    a = m.node(a)
    return maximum(m, a, 0) if a.type != "f32" else m.select(m.compare("", "ole", a, 0.0), 0.0, a)


@function()
def softplus(m, a):
    return add(m, relu(m, m.cast(a, "f32")), m.real("log", add(m, 1.0, m.real("exp", neg(m, absolute(m, m.cast(a, "f32")))))))


@function()
def logsigmoid(m, a):
    return neg(m, softplus(m, neg(m, m.cast(a, "f32"))))


@function("sign", "sgn")
def sign(m, a):
    type, (a, zero) = m.common(a, 0)
    one = m.cast(1, type)
    return m.select(m.compare("sgt", "ogt", a, zero), one, m.select(m.compare("slt", "olt", a, zero), neg(m, one), zero))


function("isnan")(lambda m, a: m.compare("ne", "une", a, a))
function("isinf")(lambda m, a: m.compare("eq", "oeq", absolute(m, m.cast(a, "f32")), math.inf))
function("isfinite")(lambda m, a: m.compare("slt", "olt", absolute(m, m.cast(a, "f32")), math.inf))


@function()
def to(m, a, dtype=None, *others, **_):
    name = getattr(dtype, "__name__", None) or str(dtype).rpartition(".")[2]
    if name == "bool":
        return m.cast(a, "i1")
    if name.startswith(("int", "long", "uint", "short")):
        return m.cast(a, "index")
    if name in ("float", "float32", "double", "float64", "bfloat16", "float16", "half"):
        return m.cast(a, "f32")
    return m.node(a)  # a device


for _name, _type in (("float", "f32"), ("double", "f32"), ("int", "index"), ("long", "index"), ("bool", "i1")):
    function(_name)(lambda m, a, type=_type: m.cast(a, type))
function("type_as")(lambda m, a, b: m.cast(a, m.node(b).type))
for _name in ("clone", "contiguous", "squeeze", "view_as"):
    function(_name)(lambda m, a, *_: m.node(a))


def _filled(m, value, like, dtype):
    return m.cast(value, m.node(like).type) if dtype is None else to(m, value, dtype)


function("zeros_like", "new_zeros")(lambda m, a, *_, dtype=None, **__: _filled(m, 0, a, dtype))
function("ones_like", "new_ones")(lambda m, a, *_, dtype=None, **__: _filled(m, 1, a, dtype))
function("full_like")(lambda m, a, value, *_, dtype=None, **__: _filled(m, value, a, dtype))
function("new_full")(lambda m, a, size, value, *_, dtype=None, **__: _filled(m, value, a, dtype))
function("new_tensor")(lambda m, a, value, *_, dtype=None, **__: _filled(m, value, a, dtype))

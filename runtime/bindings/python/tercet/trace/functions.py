"""Functions of PyTorch and NumPy on numbers of a pair: each makes nodes by a Maker. Where one has a kink, its gradient there is
PyTorch's."""
import math

from ..errors import TraceError
from .arithmetic import function
from .operators import both, absolute, add, mul, neg, power, sub, truediv
from .place import place


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
    return m.pair("arith.minsi", "arith.minimumf", (a, b), "smaller", both(min), "arith.andi")


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

"""What traced functions close over: arrays become tables of the spec, `tercet.runtime` numbers its runtime parameters. All regions
of a spec share one set of captures, so that an array has one name whoever reads it."""
import contextvars

from ..errors import TraceError
from . import arithmetic
from .place import place
from .region import free_name
from .value import Operators, Value

RESERVED = {"q", "k", "v", "q_len", "k_len", "classes", "classes_out", "o", "lse", "lse_rest", "o_wide", "do", "dq", "dk", "dv", "dw", "db",
            "param", "w", "b", "h", "i", "j", "s", "c", "e"}
NAMED = ("batch", "head", "kv_head", "query", "key", "query_block", "key_block", "feature")


def runtime(value, name=None):
    """A number that traced functions read as a runtime parameter of the spec: another value never compiles anything. It is a
    float or an int like any other, so the same function runs eagerly, too. The parameter has this name, or that of the variable."""
    kind = RuntimeInt if isinstance(value, int) else RuntimeFloat
    number = kind(value)
    number.name = name
    return number


class RuntimeInt(int):
    name = None

    def _traced(self, captures, hint):
        return captures.number(captures.parameter(self, hint), "i64")


class RuntimeFloat(float):
    name = None

    def _traced(self, captures, hint):
        return captures.number(captures.parameter(self, hint), "f64")


#: What collects the captures of the function that this thread traces.
current = contextvars.ContextVar("current")


class Extent(Operators):
    """A size of the call that traced functions may use: tokens of the batch entry, its lengths considered, or heads."""

    def __init__(self, name):
        self.name = name

    def _traced(self, captures, hint):
        return Value(captures.region, captures.region.op(f"tercet.extent {self.name}", (), "index", f"{self.name}_count", low=0))

    def _value(self):
        captures = current.get(None)
        if captures is None:
            raise TraceError(f"the number of {self.name}s is known in functions that are traced")
        return self._traced(captures, self.name)

    def __repr__(self):
        return f"<the number of {self.name}s of the call>"


query_count, key_count, head_count, kv_head_count = map(Extent, ("query", "key", "head", "kv_head"))


def is_array(thing):
    return not isinstance(thing, (Operators, type)) and hasattr(thing, "__dlpack__") and hasattr(thing, "shape") and hasattr(thing, "dtype")


def element_kind(array):
    """bool, int or float: what an element of an array is."""
    name = str(array.dtype).rpartition(".")[2]
    for kind, starts in (("bool", ("bool",)), ("int", ("int", "uint")), ("float", ("float", "bfloat"))):
        if name.startswith(starts):
            return kind
    raise TraceError(place(f"captures an array of {array.dtype}; tables hold booleans, integers and floats"))


class Captures:
    def __init__(self, sizes=None):
        #: What named axes count in the calls to come, where that is known; an axis of another size counts `any`.
        self.sizes = sizes or {}
        self.tables, self.parameters, self.by_id, self.taken, self.region = [], {}, {}, set(RESERVED), None

    def free(self, hint):
        base = "".join(c if c.isalnum() and c.isascii() else "_" for c in hint).strip("_") or "table"
        base = base if base[0].isalpha() else f"t_{base}"
        return free_name(base, self.taken)

    def table_of(self, array, hint):
        if id(array) not in self.by_id:
            if len(array.shape) > 4:
                raise TraceError(place(f"captures an array of {len(array.shape)} axes; tables have up to 4"))
            self.by_id[id(array)] = Table(self, hint, array=array, kind=element_kind(array))
            self.tables.append(self.by_id[id(array)])
        return self.by_id[id(array)]

    def declare(self, name, axes, dtype):
        table = Table(self, name, kind={"f32": "float", "i32": "int"}[dtype], axes=[str(axis) for axis in axes])
        table.name_now()
        self.tables.append(table)
        return table

    def parameter(self, number, hint):
        """The name of the runtime parameter that a `runtime` number is."""
        if id(number) not in self.by_id:
            name = self.free(number.name or hint)
            self.parameters[name] = number
            self.by_id[id(number)] = name
        return self.by_id[id(number)]

    def number(self, name, kind, binds="runtime"):
        """The proxy of a parameter: a float (f64), an integer (i64) or a flag."""
        type = {"f64": "f32", "i64": "index", "flag": "i1"}[kind]
        return Value(self.region, self.region.op(f"tercet.value %{name} : !tercet.{binds}<{kind}>", (), type, f"{name}_now"))

    def size(self, table, axis):
        """The number of entries along an axis that counts nothing: a runtime parameter, so that another size compiles nothing."""
        name = table.size_names.get(axis)
        if name is None:
            name = table.size_names[axis] = self.free(f"{table.name_now()}_size_{axis}")
            self.parameters[name] = int(table.array.shape[axis])
        return self.number(name, "i64")


class Table(Operators):
    """A captured array, or a declared table, while regions are traced: `table[h, q_idx]` reads an element."""

    def __init__(self, captures, hint, array=None, kind="float", axes=None):
        self.captures, self.hint, self.array, self.kind, self.fixed_axes = captures, hint, array, kind, axes
        self.rank = len(axes) if axes else max(1, len(array.shape))
        self.uses, self.name, self.size_names = [set() for _ in range(self.rank)], None, {}

    def name_now(self):
        if self.name is None:
            self.name = self.captures.free(self.hint)
        return self.name

    @property
    def shape(self):
        return tuple(self.array.shape) if self.array is not None else (None,) * self.rank

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def dtype(self):
        return self.array.dtype if self.array is not None else self.kind

    def size(self, axis=None):
        return self.shape if axis is None else self.shape[axis]

    def dim(self):
        return self.ndim

    def numel(self):
        count = 1
        for size in self.shape:
            count *= size
        return count

    def __len__(self):
        return self.shape[0]

    @property
    def device(self):
        return getattr(self.array, "device", "cpu")

    def type_text(self):
        return f"!tercet.table<[{', '.join(self.axes())}], {'f32' if self.kind == 'float' else 'i32'}>"

    def axes(self):
        """What each axis counts: what every read of it goes by, if the array has that many entries there, or one."""
        if self.fixed_axes:
            return self.fixed_axes
        return [self.axis(number, uses) for number, uses in enumerate(self.uses)]

    def axis(self, number, uses):
        size = self.shape[number] if self.shape else 1
        counted = {self.captures.sizes.get(name) for name in uses}
        if uses == {"query", "key"} and len(counted) == 1:  # the same tokens
            uses = {"query"}
        if len(uses) == 1 and uses <= set(NAMED) and (counted == {None} or counted | {1} >= {size}):
            return next(iter(uses))
        return "any"

    def scalar(self, region):
        return self.read([region.constant(0, "index")])

    def _value(self):
        if self.shape:
            raise TraceError(place(f"computes with the whole array {self.hint}; inside of the function read elements of it, and "
                                   "compute with arrays outside"))
        return self.scalar(self.captures.region)

    def __getitem__(self, index):
        return View(self, [None] * self.rank)[index]

    def read(self, nodes):
        region = self.captures.region
        self.name_now()
        for number, node in enumerate(nodes):
            self.uses[number].add(node.axis or "any")
        places = ", ".join(f"{{{number}}}" for number in range(len(nodes)))
        type = "f32" if self.kind == "float" else "index"
        node = region.op(f"tercet.read {{table}}[{places}] : {{type}}", nodes, type, f"{self.name}_here", table=self)
        node = arithmetic.Maker(region).cast(node, "i1") if self.kind == "bool" else node
        return Value(region, node)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if self.shape:
            raise TraceError(place(f".{name} of the array {self.hint}; inside of the function read elements of it, and compute with "
                                   "arrays outside"))
        return super().__getattr__(name)


class View(Operators):
    """A table some of whose indices are given: table[h][q_idx], table[:, h]."""

    def __init__(self, table, given):
        self.table, self.given = table, given

    def __getitem__(self, index):
        parts = list(index) if isinstance(index, tuple) else [index]
        holes = [number for number, one in enumerate(self.given) if one is None]
        if any(part is Ellipsis for part in parts):
            at = next(number for number, part in enumerate(parts) if part is Ellipsis)
            parts[at:at + 1] = [slice(None)] * (len(holes) - len(parts) + 1)
        if len(parts) > len(holes):
            raise TraceError(place(f"{len(parts)} indices for {len(holes)} axes of {self.table.hint}"))
        given = list(self.given)
        for hole, part in zip(holes, parts):
            if isinstance(part, slice):
                if part != slice(None):
                    raise TraceError(place(f"a slice of {self.table.hint}; slice arrays outside of the function"))
                continue
            given[hole] = self.index(hole, part)
        if None in given:
            return View(self.table, given)
        return self.table.read(given)

    def index(self, axis, part):
        """As PyTorch has it, an index below 0 counts from the end."""
        maker = arithmetic.Maker(self.table.captures.region)
        node = maker.node(part)
        if node.type != "index":
            raise TraceError(place(f"an index of {self.table.hint} is {'a float' if node.type == 'f32' else 'a truth value'}"))
        if (node.low is not None and node.low >= 0) or self.table.array is None:
            return node
        from_end = arithmetic.FUNCTIONS["add"](maker, node, self.table.captures.size(self.table, axis))
        if node.constant is not None:
            return from_end
        return maker.select(maker.compare("slt", "olt", node, 0), from_end, node)

    def _value(self):
        raise TraceError(place(f"computes with a part of {self.table.hint} that has axes left; inside of the function read elements"))

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        raise TraceError(place(f".{name} of a part of {self.table.hint}; inside of the function read elements"))

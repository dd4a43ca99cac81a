"""A region of a spec while it is traced: the ops that proxies asked for, and their text in the end.

Equal ops are one, ops that nothing uses are left out, and names are given when the text is made, for only then are the
names known that the region may not take.
"""
from ..errors import TraceError
from .place import place

#: Arguments of the regions, by the op that holds them: name in the text, type, and the axis of a table that it counts along.
SIGNATURES = {
    "score": (("s", "f32", None), ("b", "index", "batch"), ("h", "index", "head"), ("i", "index", "query"), ("j", "index", "key")),
    "mask": (("b", "index", "batch"), ("h", "index", "head"), ("i", "index", "query"), ("j", "index", "key")),
    "block_set": (("b", "index", "batch"), ("h", "index", "head"), ("i", "index", "query_block"), ("j", "index", "key_block")),
    "where": (("b", "index", "batch"), ("h", "index", "head"), ("i", "index", "query"), ("c", "index", "any")),
    "pool_score": (("s", "f32", None), ("b", "index", "batch"), ("h", "index", "head"), ("i", "index", "query"), ("c", "index", "any")),
    "gate": (("b", "index", "batch"), ("h", "index", "head"), ("i", "index", "query"), ("e", "index", "feature")),
}
YIELDS = {"score": "f32", "mask": "i1", "block_set": "i1", "where": "i1", "pool_score": "f32", "gate": "f32"}


class Node:
    """A value of a region: an argument or the result of an op. `low` is a bound below it, where an integer has one."""
    __slots__ = ("text", "operands", "table", "type", "hint", "low", "axis", "constant", "name")

    def __init__(self, text, operands, type, hint, low=None, axis=None, constant=None, table=None):
        self.text, self.operands, self.type, self.hint = text, operands, type, hint
        self.low, self.axis, self.constant, self.table, self.name = low, axis, constant, table, None


class Region:
    def __init__(self, kind, captures):
        self.kind, self.captures = kind, captures
        self.known, self.nodes = {}, []
        self.arguments = [Node(None, (), type, name, 0 if type == "index" else None, axis) for name, type, axis in SIGNATURES[kind]]
        self.result = None

    def op(self, text, operands, type, hint, **more):
        """The node of an op; `text` has {0}, {1}, .. for operands, {table} and {type} for a table."""
        key = (text, tuple(map(id, operands)), id(more.get("table")))
        if key not in self.known:
            self.known[key] = Node(text, tuple(operands), type, hint, **more)
            self.nodes.append(self.known[key])
        return self.known[key]

    def constant(self, value, type):
        if type == "i1":
            return self.op(f"arith.constant {'true' if value else 'false'}", (), type, "true" if value else "false", constant=bool(value))
        if type == "index":
            value = int(value)
            if not -2**31 <= value < 2**31:
                raise TraceError(place(f"the integer {value} does not fit in 32 bits, in which regions compute"))
            return self.op(f"arith.constant {value} : index", (), type, f"c{value}".replace("-", "m"), low=value, constant=value)
        value = float(value)
        return self.op(f"arith.constant {float_text(value)} : f32", (), type, "x", constant=value)

    def text(self, taken, indent):
        """The block of the region, without braces."""
        taken, pad = set(taken), " " * indent
        for node in self.arguments:
            node.name = free_name(node.hint, taken)
        lines = [pad[2:] + "^bb0(" + ", ".join(f"%{node.name}: {node.type}" for node in self.arguments) + "):"]
        for node in self.live():
            node.name = free_name(node.hint, taken)
            words = {"table": f"%{node.table.name}", "type": node.table.type_text()} if node.table is not None else {}
            lines.append(f"{pad}%{node.name} = " + node.text.format(*(f"%{one.name}" for one in node.operands), **words))
        lines.append(f"{pad}tercet.yield %{self.result.name} : {self.result.type}")
        return "\n".join(lines)

    def live(self):
        needed, open_ends = set(), [self.result]
        while open_ends:
            node = open_ends.pop()
            if id(node) not in needed:
                needed.add(id(node))
                open_ends.extend(node.operands)
        return [node for node in self.nodes if id(node) in needed]


def free_name(hint, taken):
    name, number = hint, 1
    while name in taken:
        number += 1
        name = f"{hint}_{number}"
    taken.add(name)
    return name


def float_text(value):
    """A float as MLIR reads it: infinities and NaN by their bits, and a point in every number."""
    if value != value:
        return "0x7FC00000"
    if value in (float("inf"), float("-inf")):
        return "0x7F800000" if value > 0 else "0xFF800000"
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    return (mantissa if "." in mantissa else mantissa + ".0") + e + exponent

"""Specs from Python: one call per op of the dialect, functions for its regions, and the text in the end.

    s = SpecBuilder("top_blocks")
    scores = s.pooled_scores(blocks=(64, 64))
    classes = s.select(scores, top_fraction=0.1)
    s.skip(classes.marginal)
    spec = s.build(s.sparse(on=classes.critical))

Numbers where an op takes a parameter declare one of the option's name, with the number as its default; `static` and `runtime` declare
them by hand. What every op means is in docs/spec.md.
"""
import functools

from .errors import InvalidSpec
from .trace import Captures, trace
from .trace.region import float_text, free_name

_KEEP = ("top_fraction", "top_count", "top_mass", "above", "relative", "percentile")
_DROP = ("bottom_fraction", "bottom_count")


class Spec:
    """The text of a spec, with the arrays and numbers that its functions closed over."""

    def __init__(self, name, write, tensors=(), values=()):
        self.name, self._write, self.tensors, self.values = name, write, dict(tensors), dict(values)

    @functools.cached_property
    def text(self):
        return self._write(False)

    @functools.cached_property
    def compiled_text(self):
        """The same text for any captured number, so that another number is the same kernel."""
        return self._write(True)

    def __str__(self):
        return self.text

    def __repr__(self):
        return f"<tercet.Spec @{self.name}>"


class Parameter:
    """A parameter of a spec under construction; functions for regions may close over it."""

    def __init__(self, name, kind, binds):
        self.name, self.kind, self.binds = name, kind, binds

    def _traced(self, captures, hint):
        if self.kind == "keyword":
            raise InvalidSpec(f"the parameter {self.name} is a keyword, and regions compute with numbers and flags")
        return captures.number(self.name, self.kind, self.binds)


class Handle:
    """The result of an op. Classes have sets: classes.critical, classes.marginal, classes.negligible."""

    def __init__(self, kind, name, members=()):
        self.kind, self.name, self.members = kind, name, members

    def __getattr__(self, name):
        if self.kind == "classes" and name in ("critical", "marginal", "negligible"):
            return Handle("class set", self.name, (name,))
        raise AttributeError(f"{self.kind} have no {name}")

    def __or__(self, other):
        return Handle("class set", self.name, self.members + other.members)

    def __str__(self):
        return f"%{self.name}" + (f"[{', '.join(self.members)}]" if self.members else "")


class SpecBuilder:
    def __init__(self, name="attention", sizes=None):
        self.name, self.captures = name, Captures(sizes)
        self.parameters, self.weights, self.lines, self.results = {}, [], [], set()

    # -- arguments and parameters

    def static(self, name, value):
        """A parameter bound when the spec is compiled: an int, a flag or a keyword (str)."""
        kind = "flag" if isinstance(value, bool) else "i64" if isinstance(value, int) else "keyword"
        return self._declare(name, value, kind, "static")

    def runtime(self, name, value):
        """A parameter of the call: an int, a float, or None for what the op that uses it takes by default."""
        return self._declare(name, value, "i64" if isinstance(value, int) else "f64", "runtime")

    def table(self, name, axes, dtype="f32"):
        """A tensor argument (f32 or i32) that functions for regions read: table[h, i]. The array itself comes with the call."""
        return self.captures.declare(name, axes, dtype)

    def _declare(self, name, value, kind, binds):
        name = self.captures.free(name)
        self.parameters[name] = (value, kind, binds)
        return Parameter(name, kind, binds)

    # -- predictors and classes

    def token_order(self, *, grid, tile, text=None):
        axes = ("frames", "height", "width")[-len(grid):]
        sizes = ", ".join(self._use(value, axis, "i64", "runtime") for axis, value in zip(axes, grid))
        tiles = ", ".join(self._use(value, f"tile_{axis}", "i64", "static") for axis, value in zip(axes, tile))
        self.lines.append(f"tercet.token_order grid({sizes}) tile({tiles})" + (f" text({text})" if text else ""))

    def pooled_scores(self, *, blocks=(64, 64), center=None, guard=None):
        options = self._options(center=(center, "flag", "static"), guard=(guard, "f64", "runtime"))
        return self._op("scores", f"tercet.pooled_scores %q, %k {self._blocks(blocks)}{options}")

    def sampled_scores(self, *, blocks=(128, 128), stride=8):
        return self._op("scores", f"tercet.sampled_scores %q, %k {self._blocks(blocks)}{self._options(stride=(stride, 'i64', 'static'))}")

    def compressed_scores(self, *, blocks=(1, 64), pool=(32, 16), weights=None, scale=None, where=None):
        length, stride = (self._use(value, name, "i64", "static") for value, name in zip(pool, ("length", "stride")))
        text = f"tercet.compressed_scores %q, %k {self._blocks(blocks)} pool({length}, {stride})"
        if weights is not None:
            text += f" weights(%{weights.name} : {weights.type_text()})"
        regions = [("where ", trace(where, "where", self.captures))] if where else ()
        return self._op("scores", text + self._options(scale=(scale, "f64", "runtime")), regions)

    def given_scores(self, table, *, blocks=(64, 64)):
        return self._op("scores", f"tercet.given_scores %{table.name} {self._blocks(blocks)} : {table.type_text()}")

    def select(self, scores, *, count=None, min_keep=None, max_keep=None, sink=None, diagonal=None, forced_counts=None, apart=None,
               by_share=None, scope=None, budgets=None, mask=None, forced=None, forbidden=None, **amounts):
        """`amounts`: one of top_fraction, top_count, top_mass, above, relative, percentile; and bottom_fraction or bottom_count."""
        keep, drop = [name for name in amounts if name in _KEEP], [name for name in amounts if name in _DROP]
        if len(keep) != 1 or len(drop) > 1 or len(keep) + len(drop) != len(amounts):
            raise InvalidSpec(f"select takes one of {', '.join(_KEEP)} and perhaps one of {', '.join(_DROP)}; given: {', '.join(amounts) or 'none'}")
        text = f"tercet.select {scores} keep {keep[0]}({self._use(amounts[keep[0]], 'keep', 'f64', 'runtime')})"
        if drop:
            text += f" drop {drop[0]}({self._use(amounts[drop[0]], 'drop', 'f64', 'runtime')})"
        text += self._options(
            count=(count, "keyword", "static", "count_rule"), min_keep=(min_keep, "i64", "runtime"), max_keep=(max_keep, "i64", "runtime"),
            sink=(sink, "i64", "runtime"), diagonal=(diagonal, "flag", "static"), forced_counts=(forced_counts, "flag", "static"),
            apart=(apart, "flag", "static"), by_share=(by_share, "flag", "static"), scope=(scope, "keyword", "static"))
        if budgets is not None:
            text += f" budgets(%{budgets.name} : {budgets.type_text()})"
        return self._op("classes", text + self._given(mask=mask, forced=forced, forbidden=forbidden))

    def block_set(self, function, *, blocks=(64, 64)):
        return self._op("block_set", f"tercet.block_set {self._blocks(blocks)}", (("", trace(function, "block_set", self.captures)),))

    def pattern(self, block_set, *, mask=None):
        return self._op("classes", f"tercet.pattern {block_set}{self._given(mask=mask)}")

    def skip(self, classes):
        self.lines.append(f"tercet.skip {classes}")

    def mask(self, function):
        return self._op("mask", "tercet.mask", (("", trace(function, "mask", self.captures)),))

    # -- branches

    def sparse(self, *, on=None, scale=None, mask=None, score=None):
        regions = [("score ", trace(score, "score", self.captures))] if score else []
        text = "tercet.sparse %q, %k, %v" + (f" on {on}" if on else "") + self._options(scale=(scale, "f64", "runtime"))
        return self._op("exact", text + self._given(mask=mask), regions)

    def linear(self, *, on=None, over=None, feature_map="softmax", eps=None):
        text = "tercet.linear %q, %k, %v" + (f" on {on}" if on else "") + self._options(
            over=(over, "keyword", "static", "linear_over"), feature_map=(feature_map, "keyword", "static"), eps=(eps, "f64", "runtime"))
        return self._op("rest", text)

    def block_mean(self, *, on, scale=None):
        return self._op("means", f"tercet.block_mean %q, %k, %v on {on}" + self._options(scale=(scale, "f64", "runtime")))

    def compressed(self, *, pool, queries=None, weights=None, scale=None, where=None, score=None):
        text = (f"tercet.compressed %q, %k, %v pool({self._use(pool[0], 'length', 'i64', 'static')}, "
                f"{self._use(pool[1], 'stride', 'i64', 'static')})" + self._options(queries=(queries, "i64", "static")))
        if weights:
            text += f" weights({', '.join(f'%{one.name}' for one in weights)} : {', '.join(one.type_text() for one in weights)})"
        regions = [(f"{word} ", trace(function, kind, self.captures))
                   for word, kind, function in (("where", "where", where), ("score", "pool_score", score)) if function]
        return self._op("pools", text + self._options(scale=(scale, "f64", "runtime")), regions)

    def project(self, branch, w="w", b="b"):
        self.weights += [w, b]
        self.captures.taken |= {w, b}
        return self._op("projected", f"tercet.project {branch}, %{w}, %{b}")

    def gate(self, branch, factor):
        """`factor(b, h, q_idx, feature)` times the branch."""
        return self._op("gated", f"tercet.gate {branch}", (("", trace(factor, "gate", self.captures)),))

    def sum(self, *branches):
        return self._op("sum", f"tercet.combine sum({', '.join(map(str, branches))})")

    def joint(self, *branches):
        return self._op("joined", f"tercet.combine joint({', '.join(map(str, branches))})")

    def by_head(self, *branches, choice):
        return self._op("chosen", f"tercet.combine by_head({', '.join(map(str, branches))}) choice(%{choice.name} : {choice.type_text()})")

    # -- the whole

    def build(self, output):
        """The spec that gives this branch."""
        regions = [region for line in self.lines if not isinstance(line, str) for _, region in line[1]]
        read = {id(node.table) for region in regions for node in region.live() if node.table is not None}
        self.tables = [table for table in self.captures.tables if table.array is None or id(table) in read]
        arrays = {table.name: table.array for table in self.tables if table.array is not None}
        return Spec(self.name, functools.partial(self._text, output), arrays, self.captures.parameters)

    def _text(self, output, neutral):
        arguments = [f"%{name}: !tercet.tokens" for name in ("q", "k", "v")] + [f"%{name}: !tercet.weight" for name in self.weights]
        arguments += [f"%{table.name}: {table.type_text()}" for table in self.tables]
        lines = [f"tercet.spec @{self.name}({', '.join(arguments)}) {{"]
        captured = {name: (type(value)(0) if neutral else value, "i64" if isinstance(value, int) else "f64", "runtime")
                    for name, value in self.captures.parameters.items()}
        for name, (value, kind, binds) in {**self.parameters, **captured}.items():
            lines.append(f"  %{name} = tercet.param {name} = {_literal(value, kind)} : !tercet.{binds}<{kind}>")
        taken = self.captures.taken - {"b", "h", "i", "j", "s", "c", "e"} | set(self.weights)
        for line in self.lines:
            if isinstance(line, str):
                lines.append(f"  {line}")
            else:
                text, regions = line
                lines.append(f"  {text} " + " ".join(f"{word}{{\n{region.text(taken, 4)}\n  }}" for word, region in regions))
        return "\n".join([*lines, f"  tercet.return {output}", "}", ""])

    def _op(self, kind, text, regions=()):
        name = free_name(kind, self.results)
        self.captures.taken.add(name)
        self.lines.append((f"%{name} = {text}", regions) if regions else f"%{name} = {text}")
        return Handle(kind, name)

    def _blocks(self, blocks):
        return f"blocks({self._use(blocks[0], 'block_q', 'i64', 'static')}, {self._use(blocks[1], 'block_k', 'i64', 'static')})"

    def _use(self, value, name, kind, binds):
        """The parameter `value`, or a new one of this name with `value` for its default."""
        if not isinstance(value, Parameter):
            value = {"f64": float, "i64": int, "flag": bool, "keyword": str}[kind](value)
            known = self.parameters.get(name)
            value = Parameter(name, kind, binds) if known == (value, kind, binds) else self._declare(name, value, kind, binds)
        return f"%{value.name}"

    def _options(self, **options):
        words = ((word, option[0], option[3] if len(option) > 3 else word, *option[1:3]) for word, option in options.items())
        return "".join(f" {word}({self._use(value, name, kind, binds)})" for word, value, name, kind, binds in words if value is not None)

    def _given(self, **handles):
        return "".join(f" {word}({handle})" for word, handle in handles.items() if handle is not None)


def _literal(value, kind):
    if value is None:
        return "auto"
    if kind == "flag":
        return "true" if value else "false"
    return float_text(float(value)) if kind == "f64" else str(value)

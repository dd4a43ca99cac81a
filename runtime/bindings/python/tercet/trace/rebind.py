"""A copy of a Python function in which what it closes over is proxies: arrays are tables, `tercet.runtime` numbers parameters, and
functions that it calls are copies of the same kind. The function itself is left as it is."""
import builtins
import copy
import functools
import types

from .captures import is_array
from .value import Operators, call

_LIBRARIES = ("torch", "numpy", "jax", "tercet", "functools", "math", "builtins", "operator")


def _larger(*things, **more):
    return _reduced("maximum", builtins.max, things, more)


def _smaller(*things, **more):
    return _reduced("minimum", builtins.min, things, more)


def _reduced(name, plain, things, more):
    if not more and len(things) > 1 and any(isinstance(thing, Operators) for thing in things):
        return functools.reduce(lambda a, b: call(name, a, b), things)
    return plain(*things, **more)


class Rebinder:
    def __init__(self, captures):
        self.captures, self.done, self.inside = captures, {}, set()

    def replace(self, thing, hint):
        """The proxy of a captured thing; the thing itself where it holds nothing to replace."""
        if hasattr(type(thing), "_traced"):
            return thing._traced(self.captures, hint)
        if is_array(thing):
            return self.captures.table_of(thing, hint)
        if isinstance(thing, types.FunctionType):
            return self.function(thing)
        if isinstance(thing, functools.partial):
            keywords = {name: self.replace(one, name) for name, one in thing.keywords.items()}
            return functools.partial(self.replace(thing.func, hint), *(self.replace(one, hint) for one in thing.args), **keywords)
        if isinstance(thing, types.MethodType):
            return types.MethodType(self.replace(thing.__func__, hint), self.instance(thing.__self__))
        if type(thing) in (tuple, list, dict) and id(thing) not in self.inside:
            return self.container(thing, hint)
        if callable(thing) and isinstance(getattr(type(thing), "__call__", None), types.FunctionType) and _is_foreign(type(thing)):
            return types.MethodType(self.function(type(thing).__call__), self.instance(thing))
        return thing

    def container(self, thing, hint):
        """A tuple, list or dict with what it holds replaced; itself where that is nothing."""
        self.inside.add(id(thing))
        pairs = list(thing.items() if isinstance(thing, dict) else enumerate(thing))
        replaced = [(key, self.replace(one, f"{hint}_{key}")) for key, one in pairs]
        self.inside.discard(id(thing))
        if all(new is old for (_, new), (_, old) in zip(replaced, pairs)):
            return thing
        return dict(replaced) if isinstance(thing, dict) else type(thing)(one for _, one in replaced)

    def instance(self, thing):
        if isinstance(thing, (type, types.ModuleType)) or not hasattr(thing, "__dict__"):
            return thing
        twin = copy.copy(thing)
        for name, one in vars(thing).items():
            if is_array(one) or hasattr(type(one), "_traced"):
                twin.__dict__[name] = self.replace(one, name)
        return twin

    def function(self, function):
        if function in self.done:
            return self.done[function]
        names = _names(function.__code__)
        scope = dict(function.__globals__)
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        twin = types.FunctionType(function.__code__, scope, function.__name__, None, cells)
        self.done[function] = twin
        for name in names & scope.keys():
            one = scope[name]
            if not isinstance(one, types.FunctionType) or _is_foreign(one):
                scope[name] = self.replace(one, name)
        for name, traced in (("max", _larger), ("min", _smaller)):
            if name in names and name not in scope:
                scope[name] = traced
        for cell, old, name in zip(cells, function.__closure__ or (), function.__code__.co_freevars):
            try:
                held = old.cell_contents
            except ValueError:  # not assigned yet
                continue
            cell.cell_contents = self.replace(held, name)
        arguments = function.__code__.co_varnames[:function.__code__.co_argcount]
        defaults = function.__defaults__ or ()
        twin.__defaults__ = tuple(self.replace(one, name) for name, one in zip(arguments[len(arguments) - len(defaults):], defaults))
        twin.__kwdefaults__ = {name: self.replace(one, name) for name, one in (function.__kwdefaults__ or {}).items()} or None
        return twin


def _names(code):
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _names(constant)
    return found


def _is_foreign(thing):
    return (getattr(thing, "__module__", "") or "").partition(".")[0] not in _LIBRARIES

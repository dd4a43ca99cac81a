"""Tercet: attention variants as specs, compiled for this processor when they are first used.

    import tercet
    o = tercet.attention(q, k, v, spec="sla", keep=0.1)          # arrays of NumPy, PyTorch, or anything with DLPack
    o = tercet.flex_attention(q, k, v, score_mod=..., block_mask=...)

docs/python.md shows the rest. Names load when they are asked for: importing this imports no framework.
"""
import importlib

__version__ = "0.1.0"

_HOMES = {
    "_attention": ("attention", "flex_attention", "flex_spec"),
    "_kernels": ("release_workspace",),
    "builder": ("Spec", "SpecBuilder"),
    "trace": ("and_masks", "or_masks", "runtime"),
    "trace.captures": ("query_count", "key_count", "head_count", "kv_head_count"),
    "errors": ("TercetError", "InvalidSpec", "InvalidArgument", "UnsupportedTarget", "CompileFailed", "CacheUnusable", "DeviceUnavailable",
               "LaunchFailed", "InternalError", "TraceError"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("builder", "classes", "errors", "nn", "trace")
__all__ = [*_HOME, *_MODULES, "specs"]


def specs():
    """The built-in specs: their names, and what they are in a sentence."""
    from . import _native
    return {one["name"]: one["summary"] for one in _native.described(_native.library().tercet_specs)}


def __getattr__(name):
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__} has no attribute {name}")


def __dir__():
    return sorted([*globals(), *__all__])

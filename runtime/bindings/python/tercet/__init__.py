"""Tercet: attention variants as specs, compiled for this processor when they are first used.

    import tercet
    o = tercet.attention(q, k, v, spec="sla", keep=0.1)          # arrays of NumPy, PyTorch, or anything with DLPack
    o = tercet.flex_attention(q, k, v, score_mod=..., block_mask=...)

docs/python.md shows the rest. Importing this imports no framework, and loads the library when it is first called.
"""
from . import builder, classes, errors, trace
from ._attention import attention, flex_attention, flex_spec
from ._kernels import release_workspace
from .builder import Spec, SpecBuilder
from .errors import (CacheUnusable, CompileFailed, DeviceUnavailable, InternalError, InvalidArgument, InvalidSpec, LaunchFailed, TercetError,
                     TraceError, UnsupportedTarget)
from .trace import and_masks, or_masks, runtime
from .trace.captures import head_count, key_count, kv_head_count, query_count

__version__ = "0.1.0"
__all__ = [
    "CacheUnusable", "CompileFailed", "DeviceUnavailable", "InternalError", "InvalidArgument", "InvalidSpec", "LaunchFailed", "Spec",
    "SpecBuilder", "TercetError", "TraceError", "UnsupportedTarget", "and_masks", "attention", "builder", "classes", "errors",
    "flex_attention", "flex_spec", "head_count", "key_count", "kv_head_count", "nn", "or_masks", "query_count", "release_workspace",
    "runtime", "specs", "trace",
]


def specs():
    """The built-in specs: their names, and what they are in a sentence."""
    from . import _native
    return {one["name"]: one["summary"] for one in _native.described(_native.library().tercet_specs)}


def __getattr__(name):
    if name == "nn":
        import importlib
        return importlib.import_module(".nn", __name__)
    raise AttributeError(f"module {__name__} has no attribute {name}")

"""Modules for PyTorch, loaded when they are asked for."""
import importlib

__all__ = ["SparseLinearAttention"]


def __getattr__(name):
    if name in __all__:
        return getattr(importlib.import_module(".sparse_linear", __name__), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")

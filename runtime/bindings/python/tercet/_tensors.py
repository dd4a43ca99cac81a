"""Arrays of any framework as the runtime sees them: an address, a shape, strides and a dtype, borrowed for a call. NumPy and PyTorch
are read by their own attributes, everything else by DLPack. Nothing is imported that the caller has not imported."""
import ctypes
import sys
from ctypes import POINTER, Structure, c_char_p, c_int64, c_uint32, c_uint64, c_void_p, py_object

from . import _native, _places
from .errors import InvalidArgument

#: name -> (DLPack code, bits)
DTYPES = {"float32": (2, 32), "float16": (2, 16), "bfloat16": (4, 16), "float64": (2, 64), "int32": (0, 32), "int64": (0, 64), "int8": (0, 8),
          "int16": (0, 16), "uint8": (1, 8), "bool": (6, 8)}
_TYPESTRS = {"f4": "float32", "f2": "float16", "f8": "float64", "i4": "int32", "i8": "int64", "i2": "int16", "i1": "int8", "u1": "uint8", "b1": "bool"}
NAMES = {code: name for name, code in DTYPES.items()}


class View:
    """A borrowed array. `owner` keeps its memory; `struct` is the DLTensor of it."""
    __slots__ = ("address", "shape", "strides", "dtype", "read_only", "owner", "place", "struct", "_arrays")

    def __init__(self, address, shape, strides, dtype, read_only, owner, place=_places.HOST):
        self.address, self.shape, self.strides, self.dtype, self.read_only, self.owner = address, shape, strides, dtype, read_only, owner
        self.place = place
        count = max(1, len(shape))
        self._arrays = (c_int64 * count)(*shape), (c_int64 * count)(*strides)
        code, bits = DTYPES[dtype]
        self.struct = _native.DlTensor(address, *place, len(shape), _native.DataType(code, bits, 1), self._arrays[0], self._arrays[1], 0)


def is_array(thing):
    return hasattr(thing, "__dlpack__") or hasattr(thing, "__array_interface__")


def view(thing, name):
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(thing, torch.Tensor):
        return _view_of_torch(thing, name)
    if hasattr(thing, "__array_interface__"):
        return _view_of_numpy(thing, name)
    if hasattr(thing, "__dlpack__"):
        return _view_of_dlpack(thing, name)
    raise InvalidArgument(f"{name} is {type(thing).__name__}; an array of NumPy or PyTorch, or one with __dlpack__, is needed")


def _view_of_torch(tensor, name):
    place = _places.of_torch(tensor, name)
    if tensor.layout is not sys.modules["torch"].strided:
        raise InvalidArgument(f"{name} has the layout {tensor.layout}; a strided tensor is needed")
    return View(tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), _known(str(tensor.dtype).rpartition(".")[2], name), False, tensor, place)


def _view_of_numpy(array, name):
    interface = array.__array_interface__
    kind = interface["typestr"][1:]
    dtype = _known(getattr(getattr(array, "dtype", None), "name", None) or _TYPESTRS.get(kind, kind), name)
    if interface["typestr"][0] == ">":
        raise InvalidArgument(f"{name} is big-endian; native byte order is needed")
    size, shape = DTYPES[dtype][1] // 8, interface["shape"]
    strides = interface.get("strides")
    if strides is None:
        strides = _row_major(shape)
    elif any(stride % size for stride in strides):
        raise InvalidArgument(f"{name} has strides of {strides} bytes, which are no multiples of its element's {size}")
    else:
        strides = tuple(stride // size for stride in strides)
    address, read_only = interface["data"]
    return View(address, shape, strides, dtype, read_only, array)


class _Versioned(Structure):
    _fields_ = [("major", c_uint32), ("minor", c_uint32), ("context", c_void_p), ("deleter", c_void_p), ("flags", c_uint64),
                ("tensor", _native.DlTensor)]


_capsule_name = ctypes.pythonapi.PyCapsule_GetName
_capsule_name.restype, _capsule_name.argtypes = c_char_p, [py_object]
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype, _capsule_pointer.argtypes = c_void_p, [py_object, c_char_p]


def _view_of_dlpack(thing, name):
    _places.of_dlpack(thing, name)
    try:
        capsule = thing.__dlpack__(max_version=(1, 1))
    except TypeError:
        capsule = thing.__dlpack__()
    # The capsule stays as it is, so that its own destructor gives the memory back when the view goes.
    kind = _capsule_name(capsule)
    pointer = _capsule_pointer(capsule, kind)
    read_only = False
    if kind == b"dltensor_versioned":
        versioned = ctypes.cast(pointer, POINTER(_Versioned)).contents
        tensor, read_only = versioned.tensor, bool(versioned.flags & 1)
    else:
        tensor = ctypes.cast(pointer, POINTER(_native.DlTensor)).contents
    key = (tensor.dtype.code, tensor.dtype.bits)
    if key not in NAMES or tensor.dtype.lanes != 1:
        raise InvalidArgument(f"{name} has elements of DLPack's type {key}; Tercet takes {', '.join(DTYPES)}")
    shape = tuple(tensor.shape[:tensor.ndim])
    strides = tuple(tensor.strides[:tensor.ndim]) if tensor.strides else _row_major(shape)
    return View((tensor.data or 0) + tensor.byte_offset, shape, strides, NAMES[key], read_only, (thing, capsule))


def _row_major(shape):
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def _known(dtype, name):
    if dtype not in DTYPES:
        raise InvalidArgument(f"{name} has elements of {dtype}; Tercet takes {', '.join(DTYPES)}")
    return dtype


def empty(like, shape, dtype):
    """A new array of the framework of `like`, and what to call on it once it is written: JAX arrays cannot be written in place."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(like, torch.Tensor):
        return torch.empty(shape, dtype=getattr(torch, dtype), device=like.device), _as_it_is
    import numpy
    if dtype == "bfloat16":
        import ml_dtypes
        array = numpy.empty(shape, ml_dtypes.bfloat16)
    else:
        array = numpy.empty(shape, dtype)
    if isinstance(like, numpy.ndarray) or not hasattr(like, "__array_namespace__"):
        return array, _as_it_is
    return array, like.__array_namespace__().asarray


def _as_it_is(array):
    return array


def cast(thing, dtype, name):
    """The array itself where it has this dtype, else a copy that has, made by its own framework."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(thing, torch.Tensor):
        wanted = getattr(torch, dtype)
        if thing.dtype.is_floating_point != wanted.is_floating_point and thing.dtype != torch.bool:
            raise InvalidArgument(f"{name} is {thing.dtype}; {dtype} is needed")
        if thing.dtype == wanted:
            return thing
        # On a GPU nobody looks at the numbers, which would wait for them: those that do not fit become the nearest ones that do.
        fitting = _checked_integers(thing, name, dtype) if thing.device.type == "cpu" else _fitting_integers(thing, wanted)
        return fitting.to(wanted)
    import numpy
    array = numpy.asarray(thing) if hasattr(thing, "__array__") or not hasattr(thing, "__dlpack__") else numpy.from_dlpack(thing)
    if array.dtype.name == dtype:
        return array
    if (array.dtype.kind in "iub") != dtype.startswith("int"):
        raise InvalidArgument(f"{name} is {array.dtype}; {dtype} is needed")
    return _checked_integers(array, name, dtype).astype(dtype)


def _fitting_integers(tensor, wanted):
    if wanted.is_floating_point or tensor.element_size() <= wanted.itemsize:
        return tensor
    return tensor.clamp(-2**31, 2**31 - 1)


def _checked_integers(array, name, dtype):
    if dtype == "int32" and str(array.dtype).rpartition(".")[2] in ("int64", "uint32", "uint64") and 0 not in array.shape:
        low, high = int(array.min()), int(array.max())
        if low < -2**31 or high >= 2**31:
            raise InvalidArgument(f"{name} holds {low if low < -2**31 else high}, which does not fit in 32 bits")
    return array

"""The C interface (tercet/tercet.h) by ctypes: structs, functions, and statuses as exceptions. Calls release the interpreter's lock."""
import ctypes
import functools
import glob
import importlib.util
import json
import os
from ctypes import POINTER, Structure, byref, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint8, c_uint16, c_uint64, c_void_p

from . import errors


class DataType(Structure):
    _fields_ = [("code", c_uint8), ("bits", c_uint8), ("lanes", c_uint16)]


class DlTensor(Structure):
    _fields_ = [("data", c_void_p), ("device_type", c_int32), ("device_id", c_int32), ("ndim", c_int32), ("dtype", DataType),
                ("shape", POINTER(c_int64)), ("strides", POINTER(c_int64)), ("byte_offset", c_uint64)]


class Setting(Structure):
    _fields_ = [("name", c_char_p), ("value", c_char_p)]


class SpecStruct(Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p), ("text", c_char_p), ("origin", c_char_p), ("settings", POINTER(Setting)),
                ("setting_count", c_size_t)]


class CompileOptions(Structure):
    _fields_ = [("struct_size", c_size_t), ("head_dim", c_int64), ("value_dim", c_int64), ("dtype", DataType), ("target", c_char_p),
                ("direction", c_int32), ("expected_batch", c_int64), ("expected_heads", c_int64), ("expected_key_heads", c_int64),
                ("expected_queries", c_int64), ("expected_keys", c_int64), ("expected_kept", c_double), ("deterministic", c_int64)]


class Argument(Structure):
    _fields_ = [("struct_size", c_size_t), ("name", c_char_p), ("role", c_char_p), ("is_output", c_int32), ("is_optional", c_int32),
                ("dtype", DataType), ("rank", c_int32), ("axes", c_char_p * 4)]


class NamedTensor(Structure):
    _fields_ = [("name", c_char_p), ("tensor", POINTER(DlTensor))]


class NamedValue(Structure):
    _fields_ = [("name", c_char_p), ("value", c_double)]


class Call(Structure):
    _fields_ = [("struct_size", c_size_t), ("tensors", POINTER(NamedTensor)), ("tensor_count", c_size_t),
                ("parameters", POINTER(NamedValue)), ("parameter_count", c_size_t), ("workspace", c_void_p),
                ("workspace_bytes", c_size_t), ("stream", c_void_p)]


#: Functions and what they take; those that return a status unless it says otherwise.
_FUNCTIONS = {
    "version": (c_char_p,), "status_name": (c_char_p, c_int32), "error_message": (c_char_p,), "error_note_count": (c_size_t,),
    "error_note": (c_int32, c_size_t, POINTER(c_char_p), POINTER(c_char_p)), "text_free": (None, c_void_p),
    "set_log": (c_int32, c_void_p, c_void_p, c_int32),
    "specs": (c_int32, POINTER(c_void_p)), "spec_describe": (c_int32, POINTER(SpecStruct), POINTER(c_void_p)),
    "session_create": (c_int32, c_void_p, POINTER(c_void_p)), "session_describe": (c_int32, c_void_p, POINTER(c_void_p)),
    "compile": (c_int32, c_void_p, POINTER(SpecStruct), POINTER(CompileOptions), POINTER(c_void_p)), "kernel_destroy": (None, c_void_p),
    "kernel_describe": (c_int32, c_void_p, POINTER(c_void_p)), "kernel_argument_count": (c_size_t, c_void_p),
    "kernel_argument": (c_int32, c_void_p, c_size_t, POINTER(Argument)),
    "kernel_saved_output": (c_int32, c_void_p, c_void_p, c_char_p, POINTER(c_char_p)),
    "kernel_shape": (c_int32, c_void_p, POINTER(Call), c_char_p, POINTER(c_int64), POINTER(c_int32)),
    "kernel_workspace": (c_int32, c_void_p, POINTER(Call), POINTER(c_size_t)),
    "launch": (c_int32, c_void_p, POINTER(Call), POINTER(c_void_p)), "enqueue": (c_int32, c_void_p, POINTER(Call)),
}


def _load():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libtercet.so")
    if not os.path.exists(path):
        raise errors.DeviceUnavailable(f"the library is not at {path}; install the wheel, which carries it")
    library = ctypes.CDLL(path)
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(library, f"tercet_{name}")
        function.restype, function.argtypes = result, arguments
    library.tercet_set_log(_log, None, 1)
    return library


@ctypes.CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
def _log(_, level, message):
    """Warnings of the library, such as that an absent weight is the identity, go to Python's logging, from whatever thread."""
    import logging
    logging.getLogger("tercet").log(logging.WARNING if level == 1 else logging.INFO, "%s", message.decode(errors="replace"))


_library = None


def library():
    global _library
    if _library is None:
        _library = _load()
    return _library


@functools.lru_cache(maxsize=None)
def load_nvrtc():
    """Loads NVIDIA's compiler from the wheel that PyTorch or the user has installed it by, where the library looks for what is loaded."""
    found = importlib.util.find_spec("nvidia")
    if os.environ.get("TERCET_NVRTC") or found is None:
        return
    for folder in found.submodule_search_locations or ():
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*", "lib", "libnvrtc.so.[0-9]*")), reverse=True):
            try:
                ctypes.CDLL(path)
            except OSError:
                continue
            return


def check(status):
    """Raises the exception of a status that is not ok."""
    if status == 0:
        return
    notes, key, value = [], c_char_p(), c_char_p()
    message = library().tercet_error_message().decode(errors="replace")
    for index in range(library().tercet_error_note_count()):
        if library().tercet_error_note(index, byref(key), byref(value)) == 0:
            notes.append((key.value.decode(errors="replace"), value.value.decode(errors="replace")))
    kind = errors.BY_CODE[status - 1] if 0 < status <= len(errors.BY_CODE) else errors.InternalError
    raise kind(message, notes)


def described(function, *arguments):
    """The object of a function that gives JSON by its last parameter."""
    text = c_void_p()
    check(function(*arguments, byref(text)))
    try:
        return json.loads(ctypes.string_at(text.value))
    finally:
        library().tercet_text_free(text)


def spec_struct(name, text, settings):
    """A spec by name or by text; keep the result while it is used."""
    struct = SpecStruct(ctypes.sizeof(SpecStruct), name and name.encode(), text and text.encode(), None, None, 0)
    if settings:
        array = (Setting * len(settings))(*(Setting(key.encode(), value.encode()) for key, value in settings))
        struct.settings, struct.setting_count = array, len(settings)
    return struct

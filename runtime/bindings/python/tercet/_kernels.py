"""The session of the process, compiled kernels by what decides them, and one call of a kernel. Safe from many threads: a kernel is
immutable, and every thread has a workspace of its own."""
import collections
import ctypes
import math
import mmap
import os
import threading
from ctypes import byref, c_char_p, c_double, c_int32, c_int64, c_size_t, c_void_p

from . import _native, _places
from .errors import InvalidArgument

DIRECTIONS = {"inference": 0, "forward": 1, "backward": 2}
_KEPT = 256  # kernels that are held beside those in use

_lock = threading.Lock()
_kernels = collections.OrderedDict()
_descriptions = collections.OrderedDict()
_session = None
_own = threading.local()


def _forget_session():
    """A child of fork has none of the session's threads: it begins anew."""
    global _session, _lock
    _session, _lock = None, threading.Lock()
    _kernels.clear()


os.register_at_fork(after_in_child=_forget_session)


def session():
    global _session
    with _lock:
        if _session is None:
            handle = c_void_p()
            _native.check(_native.library().tercet_session_create(None, byref(handle)))
            _session = handle
        return _session


def describe(name, text):
    """Of a spec: its inputs, outputs and parameters, with what they bind at."""
    key = (name, text)
    with _lock:
        if key in _descriptions:
            return _descriptions[key]
    struct = _native.spec_struct(name, text, ())
    description = _native.described(_native.library().tercet_spec_describe, byref(struct))
    with _lock:
        _descriptions[key] = description
        while len(_descriptions) > _KEPT:
            _descriptions.popitem(last=False)
    return description


Expected = collections.namedtuple("Expected", "batch heads key_heads queries keys")


def expected(q, k):
    """The class of a call of these, arrays or their views: sizes to the nearest power of two, as tuned schedules are looked up by."""
    sizes = q.shape[0], q.shape[1], k.shape[1], q.shape[2], k.shape[2]
    return Expected(*(1 << round(math.log2(size)) for size in sizes))


def kernel(name, text, settings, head_dim, value_dim, dtype, target="cpu", direction="inference", call=None):
    """The kernel of a spec (by name or text) with these static settings, in the schedules tuned for such calls (Expected) if there are any.
    It is compiled at the first call; kernels for several classes of calls are one where nothing was tuned."""
    settings = tuple(sorted(settings))
    key = (name, text, settings, head_dim, value_dim, dtype, target, direction, call)
    with _lock:
        if key in _kernels:
            _kernels.move_to_end(key)
            return _kernels[key]
    made = Kernel(*key)
    with _lock:
        made = _kernels.setdefault(key, made)
        while len(_kernels) > _KEPT:
            _kernels.popitem(last=False)
        return made


Argument = collections.namedtuple("Argument", "name role is_output is_optional dtype axes")


class Kernel:
    def __init__(self, name, text, settings, head_dim, value_dim, dtype, target, direction, call):
        from ._tensors import DTYPES, NAMES
        self.handle = None
        library, handle = _native.library(), c_void_p()
        if target.startswith("cuda"):
            _native.load_nvrtc()
        spec = _native.spec_struct(name, text, settings)
        options = _native.CompileOptions(ctypes.sizeof(_native.CompileOptions), head_dim, value_dim, _native.DataType(*DTYPES[dtype], 1),
                                         target.encode(), DIRECTIONS[direction], *(call or ()))
        _native.check(library.tercet_compile(session(), byref(spec), byref(options), byref(handle)))
        self.handle, self.direction, self.destroy = handle, direction, library.tercet_kernel_destroy
        self.description = _native.described(library.tercet_kernel_describe, handle)
        self.arguments = {}
        for index in range(library.tercet_kernel_argument_count(handle)):
            one = _native.Argument(ctypes.sizeof(_native.Argument))
            _native.check(library.tercet_kernel_argument(handle, index, byref(one)))
            self.arguments[one.name.decode()] = Argument(
                one.name.decode(), one.role.decode(), bool(one.is_output), bool(one.is_optional),
                NAMES[one.dtype.code, one.dtype.bits], tuple(axis.decode() for axis in one.axes[:one.rank]))

    def __del__(self):
        if self.handle is not None:
            self.destroy(self.handle)

    @property
    def outputs(self):
        return [one.name for one in self.arguments.values() if one.is_output]

    def saved_output(self, backward, argument):
        """The output of this forward that the backward takes as `argument`; None for what the caller has anyway."""
        name = c_char_p()
        _native.check(_native.library().tercet_kernel_saved_output(self.handle, backward.handle, argument.encode(), byref(name)))
        return name.value and name.value.decode()

    def shape(self, views, values, name):
        """The shape of an output beside these inputs."""
        call, kept = self._call(views, values)
        shape, rank = (c_int64 * 4)(), c_int32()
        _native.check(_native.library().tercet_kernel_shape(self.handle, byref(call), name.encode(), shape, byref(rank)))
        return tuple(shape[:rank.value])

    def launch(self, views, values, report=False):
        """Runs on views by name, outputs among them; runtime parameters by name. On a GPU it is queued on the caller's stream, and waited for
        where a report is asked for."""
        library = _native.library()
        call, kept = self._call(views, values)
        size = c_size_t()
        _native.check(library.tercet_kernel_workspace(self.handle, byref(call), byref(size)))
        place = _places.shared(views)
        if place.is_gpu:
            memory = _places.memory(place, size.value) if size.value else None
            call.workspace, call.stream = memory is not None and memory.data_ptr() or None, _places.stream(place)
        else:
            call.workspace = workspace(size.value)
        call.workspace_bytes = size.value
        if place.is_gpu and not report:
            return _native.check(library.tercet_enqueue(self.handle, byref(call)))
        if report:
            return _native.described(library.tercet_launch, self.handle, byref(call))
        _native.check(library.tercet_launch(self.handle, byref(call), None))
        return None

    def _call(self, views, values):
        tensors = (_native.NamedTensor * max(1, len(views)))()
        for slot, (name, view) in zip(tensors, views.items()):
            slot.name, slot.tensor = name.encode(), ctypes.pointer(view.struct)
        numbers = (_native.NamedValue * max(1, len(values)))()
        for slot, (name, value) in zip(numbers, values.items()):
            slot.name, slot.value = name.encode(), c_double(value)
        call = _native.Call(ctypes.sizeof(_native.Call), tensors, len(views), numbers, len(values), None, 0, None)
        return call, (tensors, numbers)


def workspace(size):
    """The address of this thread's workspace, of `size` bytes or more. It grows as calls need, and is kept for the next one."""
    if size == 0:
        return None
    if getattr(_own, "size", 0) < size:
        _own.__dict__.clear()
        memory = mmap.mmap(-1, size)
        _own.memory, _own.size, _own.address = memory, size, ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return _own.address


def release_workspace():
    """Gives the calling thread's workspace back to the system."""
    _own.__dict__.clear()


def unknown(name, description):
    """The error of a keyword that is neither a tensor nor a parameter of the spec."""
    tensors = [one["name"] if isinstance(one, dict) else one for one in [*description["inputs"], *description["optional_inputs"]]]
    parameters = [one["name"] for one in description["parameters"]]
    return InvalidArgument(f"the spec {description['name']} has no tensor or parameter {name}; tensors: {', '.join(tensors)}; "
                           f"parameters: {', '.join(parameters) or 'none'}")

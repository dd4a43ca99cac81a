"""Where arrays lie, and what a call on a GPU takes of the framework that owns them: its stream, and memory for the workspace.

On GPUs that framework is PyTorch: its allocator hands memory out in the order of a stream, so what a call has taken may be given back
as soon as the call is queued."""
import collections
import sys

from .errors import InvalidArgument

_HOST, _CUDA, _CUDA_HOST, _CUDA_MANAGED = 1, 2, 3, 13  # DLDeviceType


class Place(collections.namedtuple("Place", "kind index")):
    """A device by the numbers of DLPack."""

    def __str__(self):
        return f"cuda:{self.index}" if self.is_gpu else "cpu"

    @property
    def is_gpu(self):
        return self.kind == _CUDA

    @property
    def target(self):
        """What kernels for arrays there are compiled for."""
        return str(self)


HOST = Place(_HOST, 0)


def of_torch(tensor, name):
    if tensor.device.type == "cpu":
        return HOST
    if tensor.device.type == "cuda":
        return Place(_CUDA, tensor.device.index or 0)
    raise InvalidArgument(f"{name} lies on {tensor.device}; Tercet runs on CPUs and on GPUs with CUDA")


def of_dlpack(thing, name):
    kind = int(thing.__dlpack_device__()[0])
    if kind in (_HOST, _CUDA_HOST, _CUDA_MANAGED):
        return HOST
    if kind == _CUDA:
        raise InvalidArgument(f"{name} is {type(thing).__name__} on a GPU; there tensors of PyTorch are taken: torch.from_dlpack({name})")
    raise InvalidArgument(f"{name} lies on a device of DLPack's number {kind}; Tercet runs on CPUs and on GPUs with CUDA")


def shared(views):
    """The place of all arrays of a call, views by name."""
    places = {name: view.place for name, view in views.items()}
    first = next(iter(places))
    for name, place in places.items():
        if place != places[first]:
            raise InvalidArgument(f"{name} lies on {place} and {first} on {places[first]}; all arrays of a call lie on one device")
    return places[first]


def stream(place):
    """The stream of a GPU that the caller's work is queued on, for a call to be queued behind it."""
    return sys.modules["torch"].cuda.current_stream(place.index).cuda_stream or None


def memory(place, size):
    """A tensor of `size` bytes there."""
    torch = sys.modules["torch"]
    return torch.empty(size, dtype=torch.uint8, device=str(place))

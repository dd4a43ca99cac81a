"""Tensors on a GPU, without one: the driver is the fake one of the runtime's tests, which logs launches and runs none of these, and
`torch` has of PyTorch what a call takes. What is tested is where a call goes: device, stream, memory, and that nobody waits."""
import ctypes
import os
import subprocess
import sys
import types
import unittest

from support import SKIPPED, Case, tokens  # skips without NumPy

import tercet

try:
    driver = ctypes.CDLL("libcuda.so.1")
    driver.fakeCudaStream.restype = ctypes.c_void_p
except (OSError, AttributeError):
    print("SKIPPED: the driver is not the tests' own (LD_LIBRARY_PATH)")
    sys.exit(SKIPPED)
if subprocess.run([os.environ["TERCET"], "compile", "dense", "--target", "sm_90", "--head-dim", "64", "--dtype", "f16", "--emit", "ptx", "-o", os.devnull],
                  capture_output=True).returncode == 3:
    print("SKIPPED: there is no NVRTC")
    sys.exit(SKIPPED)

STREAM = 0x5157


class Device(types.SimpleNamespace):
    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"


class Dtype(types.SimpleNamespace):
    def __str__(self):
        return f"torch.{self.name}"


class Tensor:
    """A dense tensor in memory of the fake driver."""
    layout, requires_grad = "strided", False

    def __init__(self, shape, dtype, device):
        self.shape, self.dtype, self.device = tuple(shape), dtype, device
        self.address, count = ctypes.c_uint64(), 1
        for size in self.shape:
            count *= size
        if driver.cuMemAlloc_v2(ctypes.byref(self.address), ctypes.c_size_t(max(256, count * dtype.itemsize))) != 0:
            raise MemoryError
        torch.made.append(self)

    def data_ptr(self):
        return self.address.value

    def stride(self):
        strides, step = [], 1
        for size in reversed(self.shape):
            strides.append(step)
            step *= size
        return tuple(reversed(strides))

    def __dlpack__(self, **more):
        raise AssertionError("tensors of PyTorch are read by their own attributes")

    def element_size(self):
        return self.dtype.itemsize

    def clamp(self, low, high):
        torch.clamped.append((low, high))
        return self

    def min(self):
        raise AssertionError("the numbers of a tensor on a GPU were looked at, which waits for them")

    def to(self, dtype):
        return Tensor(self.shape, dtype, self.device)


def device_of(device):
    if isinstance(device, Device):
        return device
    kind, _, index = device.partition(":")
    return Device(type=kind, index=int(index) if index else None)


torch = types.ModuleType("torch")
torch.Tensor, torch.strided, torch.made, torch.clamped = Tensor, "strided", [], []
for name, size, floating in (("float16", 2, True), ("float32", 4, True), ("int32", 4, False), ("int64", 8, False), ("uint8", 1, False), ("bool", 1, False)):
    setattr(torch, name, Dtype(name=name, itemsize=size, is_floating_point=floating))
torch.empty = lambda shape, dtype, device: Tensor(shape if isinstance(shape, (tuple, list)) else (shape,), dtype, device_of(device))
torch.is_grad_enabled = lambda: True
torch.cuda = types.SimpleNamespace(current_stream=lambda index: types.SimpleNamespace(cuda_stream=STREAM + index))


def cuda(shape, dtype=None, index=0):
    return Tensor(shape, dtype or torch.float16, Device(type="cuda", index=index))


class Calls(Case):
    def setUp(self):
        sys.modules["torch"] = torch
        self.addCleanup(sys.modules.pop, "torch")
        torch.made.clear()
        torch.clamped.clear()

    def arrays(self, **more):
        return [cuda((1, 2, 130, 64), **more) for _ in range(3)]

    def test_a_call_goes_where_q_lies_on_the_callers_stream(self):
        q, k, v = self.arrays()
        tercet.attention(q, k, v, "sparse_topk", keep=0.5)  # compiles
        launches, allocations, waits, made = driver.fakeCudaLaunches(), driver.fakeCudaAllocations(), driver.fakeCudaSynchronizations(), len(torch.made)
        o, lse = tercet.attention(q, k, v, "sparse_topk", keep=0.5, return_lse=True)
        self.assertIsInstance(o, Tensor)
        self.assertEqual((o.shape, str(o.dtype), str(o.device)), ((1, 2, 130, 64), "torch.float16", "cuda:0"))
        self.assertEqual((lse.shape, str(lse.dtype), str(lse.device)), ((1, 2, 130), "torch.float32", "cuda:0"))
        after = driver.fakeCudaLaunches()
        self.assertGreater(after, launches + 1)
        self.assertEqual({driver.fakeCudaStream(at) for at in range(launches, after)}, {STREAM})
        self.assertEqual(driver.fakeCudaSynchronizations(), waits)
        new = torch.made[made:]  # o, lse and the workspace: PyTorch's allocator gives all that the call takes
        self.assertEqual([str(one.dtype) for one in new], ["torch.float16", "torch.float32", "torch.uint8"])
        self.assertEqual(driver.fakeCudaAllocations(), allocations + len(new))

    def test_a_report_waits_and_tells_times(self):
        report, waits = {}, driver.fakeCudaSynchronizations()
        tercet.attention(*self.arrays(), "dense", report=report)
        self.assertGreater(driver.fakeCudaSynchronizations(), waits)
        self.assertEqual([stage["stage"] for stage in report["stages"]], ["attend"])

    def test_numbers_are_converted_without_being_looked_at(self):
        lengths = cuda((1,), torch.int64)
        tercet.attention(*self.arrays(), "dense", k_len=lengths)
        self.assertEqual(torch.clamped, [(-2**31, 2**31 - 1)])

    def test_arrays_of_several_places_are_refused(self):
        q, k, v = self.arrays()
        with self.assertRaisesRegex(tercet.InvalidArgument, "k lies on cpu and q on cuda:0; all arrays of a call lie on one device"):
            tercet.attention(q, tokens(batch=1, heads=2, queries=130, head_dim=64)[1].astype("float16"), v, "dense")
        with self.assertRaisesRegex(tercet.InvalidArgument, "v lies on cuda:1 and q on cuda:0"):
            tercet.attention(q, k, cuda((1, 2, 130, 64), index=1), "dense")
        with self.assertRaisesRegex(tercet.DeviceUnavailable, "no GPU 1"):
            tercet.attention(*self.arrays(index=1), "dense")
        with self.assertRaisesRegex(tercet.InvalidArgument, "'q' lies on a device of type 2 with number 0; this kernel runs on 'cpu"):
            tercet.attention(q, k, v, "dense", target="cpu")
        q.device = Device(type="mps", index=0)
        with self.assertRaisesRegex(tercet.InvalidArgument, "q lies on mps:0; Tercet runs on CPUs and on GPUs with CUDA"):
            tercet.attention(q, k, v, "dense")

    def test_other_frameworks_are_told_to_go_through_pytorch(self):
        class OnGpu:
            shape, dtype = (1, 2, 130, 64), "float16"

            def __dlpack_device__(self):
                return 2, 0

            def __dlpack__(self, **more):
                raise AssertionError("nothing is exchanged")
        with self.assertRaisesRegex(tercet.InvalidArgument, r"q is OnGpu on a GPU; there tensors of PyTorch are taken: torch.from_dlpack\(q\)"):
            tercet.attention(OnGpu(), OnGpu(), OnGpu(), "dense")


if __name__ == "__main__":
    unittest.main()

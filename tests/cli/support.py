"""Runs the command line under test, and writes tensor files by hand, so that any field of them may lie."""
import array
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

TERCET = os.environ["TERCET"]
NO_GRADIENT = pathlib.Path(__file__).resolve().parents[1] / "support/specs/heads_apart.mlir"  # branches chosen by head
SECONDS = 120  # far beyond any run here, even on a busy machine: a hang, not a slow answer


class Outcome:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit code {self.code}\n-- stdout\n{self.out[-2000:]}\n-- stderr\n{self.err[-2000:]}"


class Case(unittest.TestCase):
    """A test with a folder of its own, which is also its cache."""

    def setUp(self):
        self.folder_holder = tempfile.TemporaryDirectory(prefix="tercet-cli-")
        self.addCleanup(self.folder_holder.cleanup)
        self.folder = pathlib.Path(self.folder_holder.name)

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, content):
        data = content.encode() if isinstance(content, str) else content
        (self.folder / name).write_bytes(data)
        return self.path(name)

    def tercet(self, *words, stdin="", **environment):
        variables = {name: value for name, value in os.environ.items() if not name.startswith("TERCET_")}
        variables.update({"TERCET_CACHE_DIR": self.path("cache"), "TERCET_THREADS": "2",
                          "TERCET_DB": self.path("tuning.jsonl"), **environment})
        return Outcome(subprocess.run([TERCET, *map(str, words)], input=stdin, capture_output=True, text=True,
                                      timeout=SECONDS, env=variables, errors="replace"))

    def passes(self, *words, **options):
        outcome = self.tercet(*words, **options)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome

    def refused(self, *words, code=1, says=(), stdin="", **environment):
        """Exit code, one sentence on standard error (notes apart) that holds every text of `says`, and nothing on standard output."""
        outcome = self.tercet(*words, stdin=stdin, **environment)
        self.assertEqual(outcome.code, code, outcome)
        self.assertEqual(outcome.out, "", outcome)
        lines = [line for line in outcome.err.strip().split("\n") if not line.startswith("tercet: note: ")]
        self.assertEqual(len(lines), 1, outcome)
        self.assertTrue(lines[0].startswith("tercet: error: "), outcome)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, lines[0], outcome)
        return outcome

    def refused_spec(self, text, says, *words):
        """As refused, for a spec: the message names file, line and column, and may show the line."""
        spec = self.write("bad.mlir", text)
        outcome = self.tercet("run", spec, "--shape", "n=8,d=8", *words)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertEqual(outcome.out, "", outcome)
        self.assertTrue(outcome.err.startswith(spec + ":"), outcome)
        self.assertIn("error: ", outcome.err.split("\n")[0], outcome)
        self.assertIn(says, outcome.err, outcome)
        return outcome

    def qkv(self, shape=(1, 2, 96, 8), names="qkv"):
        """--in options for small f32 tensors of one shape."""
        words = []
        for seed, name in enumerate(names):
            words += ["--in", f"{name}={self.write(name + '.npy', npy(shape, values(shape, seed)))}"]
        return words


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def values(shape, seed=0):
    """Deterministic numbers in [-1, 1)."""
    state, result = seed * 7919 + 1, []
    for _ in range(count(shape)):
        state = (state * 1103515245 + 12345) % 2**31
        result.append(state / 2**30 - 1)
    return result


def pack(numbers, code):
    if code == "e":
        return struct.pack(f"<{len(numbers)}e", *numbers)
    return array.array(code, numbers).tobytes()


def npy(shape, numbers, descr="<f4", fortran=False, code="f"):
    header = repr({"descr": descr, "fortran_order": fortran, "shape": tuple(shape)})
    return npy_raw(header, pack(numbers, code))


def npy_raw(header, data, version=1, length=None):
    size = len(header) if length is None else length
    prefix = struct.pack("<H" if version == 1 else "<I", size)
    return b"\x93NUMPY" + bytes([version, 0]) + prefix + header.encode() + data


def read_npy(path):
    """(descr, shape, bytes) of a version 1 file."""
    content = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", content[8:10])[0]
    header = eval(content[10:10 + length].decode(), {"__builtins__": {}})  # a literal that the program under test wrote
    return header["descr"], header["shape"], content[10 + length:]


def read_floats(path):
    descr, shape, data = read_npy(path)
    assert descr == "<f4", descr
    return list(array.array("f", data))


def safetensors_raw(header, data, length=None):
    text = header if isinstance(header, str) else json.dumps(header)
    return struct.pack("<Q", len(text) if length is None else length) + text.encode() + data


def safetensors(tensors):
    """tensors: {name: (dtype, shape, bytes)}"""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return safetensors_raw(header, data)


def bfloat16(numbers):
    """Truncated: exact for numbers that are short enough."""
    return b"".join(struct.pack("<f", number)[2:] for number in numbers)


def read_safetensors(path):
    content = pathlib.Path(path).read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    return {name: (entry["dtype"], entry["shape"], content[8 + length + entry["data_offsets"][0]:8 + length + entry["data_offsets"][1]])
            for name, entry in header.items() if name != "__metadata__"}

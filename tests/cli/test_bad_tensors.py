"""Tensor files that are wrong, truncated or lying; and tensors that do not fit together."""
import unittest

from support import Case, count, npy, npy_raw, pack, safetensors, safetensors_raw, values

GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 96, 8)}"
ELEMENTS = 2 * 96 * 8


class Files(Case):
    """q is the bad file, k and v are right; `reference` finds every one of these before any work."""

    def refused_q(self, content, says, ending=".npy"):
        bad = self.write("bad" + ending, content)
        outcome = self.refused("run", "dense", "--in", f"q={bad}", *self.qkv(names="kv"), "--target", "reference",
                               "--out", f"o={self.path('o.npy')}", says=says)
        self.assertIn("bad" + ending, outcome.err)
        self.assertFalse((self.folder / "o.npy").exists())

    def test_headers_of_npy(self):
        data = b"\0" * (4 * ELEMENTS)
        for content, says in [
            (b"", "the file is empty"),
            (b"\x93NUM", "does not start with the .npy magic"),
            (b"\x93NUMPY\x01\x00\xff", "the file ends inside it"),
            (npy_raw(GOOD, data[:-1]), "needs 6144 bytes, the file holds 6143"),
            (npy_raw(GOOD, data + b"\0"), "needs 6144 bytes, the file holds 6145"),
            (npy_raw(GOOD, b""), "the file holds 0"),
            (npy_raw(GOOD, data, length=60000), "claims 60000 bytes"),
            (npy_raw(GOOD, data, version=2, length=0xffffffff), "at most 65536"),
            (npy_raw(GOOD, data, version=9), "version 9.0"),
            (npy_raw(GOOD.replace("<f4", ">f4"), data), "big-endian"),
            (npy_raw(GOOD.replace("<f4", "<i8"), data * 2), "'<i8' is not read"),
            (npy_raw(GOOD.replace("'<f4'", "[('a', '<f4')]"), data), "structured"),
            (npy_raw(GOOD.replace("96", "-96"), data), "negative size -96"),
            (npy_raw(GOOD.replace("96", "0"), b""), "every size must be at least 1"),
            (npy_raw(GOOD.replace("96", "9" * 30), data), "no whole number of 64 bits"),
            (npy_raw(GOOD.replace("(1, 2, 96, 8)", "(4611686018427387904, 4)"), data), "larger than any memory"),
            (npy_raw(GOOD.replace("(1, 2, 96, 8)", "(1, 1, 2, 96, 8)"), data), "rank 5"),
            (npy_raw("{" * 5000, data), "malformed"),
            (npy_raw("import os", data), "malformed"),
        ]:
            with self.subTest(says=says):
                self.refused_q(content, says)

    def test_headers_of_safetensors(self):
        entry = {"dtype": "F32", "shape": [1, 2, 96, 8], "data_offsets": [0, 4 * ELEMENTS]}
        data = b"\0" * (4 * ELEMENTS)
        for content, says in [
            (b"\x10", "ends inside its length"),
            (safetensors_raw({"q": entry}, data, length=2**63), "at most 16777216"),
            (safetensors_raw({"q": entry}, data, length=10**7), "claims 10000000 bytes"),
            (safetensors_raw({"q": entry}, data[:-4]), "end at byte 6144 of 6140"),
            (safetensors_raw({"q": entry}, data + b"\0"), "end at byte 6144 of 6145"),
            (safetensors_raw({"q": entry, "k": entry}, data), "overlap"),
            (safetensors_raw({"q": dict(entry, shape=[1, 2, 96, 9])}, data), "does not fill its data_offsets"),
            (safetensors_raw({"q": dict(entry, shape=[2**62, 2**62])}, data), "does not fill its data_offsets"),
            (safetensors_raw({"q": dict(entry, data_offsets=[4 * ELEMENTS, 0])}, data), "two ascending sizes"),
            (safetensors_raw({"q": dict(entry, shape=[-1])}, data), "none negative"),
            (safetensors_raw({"q": dict(entry, dtype="F31")}, data), "has dtype F31"),
            (safetensors_raw("[" * 100000, data), "nests deeper"),
            (safetensors_raw("{\"q\": ", data), "no JSON object"),
            (safetensors_raw({}, b""), "it holds no tensor"),
        ]:
            with self.subTest(says=says):
                self.refused_q(content, says, ".safetensors")

    def test_references(self):
        two = safetensors({name: ("F32", (1, 2, 96, 8), pack(values((1, 2, 96, 8)), "f")) for name in ("one", "two")})
        path = self.write("two.safetensors", two)
        rest = self.qkv(names="kv") + ["--target", "reference"]
        self.refused("run", "dense", "--in", f"q={path}", *rest, says="name one as FILE:TENSOR (one, two)")
        self.refused("run", "dense", "--in", f"q={path}:three", *rest, says="no tensor 'three'; it has one, two")
        self.passes("run", "dense", "--in", f"q={path}:two", *rest)
        self.refused("run", "dense", "--in", f"q={self.path('none.npy')}", *rest, says="No such file")
        self.refused("run", "dense", "--in", f"q={self.folder}", *rest, says="is no tensor file")
        self.refused("run", "dense", "--in", "q=/dev/zero.npy", *rest, says="No such file")


class Calls(Case):
    def refused_call(self, says, spec="dense", **tensors):
        """tensors: name -> (shape, descr, code); q, k, v have defaults."""
        words = []
        given = {"q": (1, 2, 96, 8), "k": (1, 2, 96, 8), "v": (1, 2, 96, 8), **tensors}
        for name, tensor in given.items():
            shape, descr, code = tensor if isinstance(tensor[0], tuple) else (tensor, "<f4", "f")
            numbers = values(shape) if code in "fed" else [1] * count(shape)
            words += ["--in", f"{name}={self.write(name + '.npy', npy(shape, numbers, descr, code=code))}"]
        for target in ["cpu", "reference"]:
            self.refused("run", spec, *words, "--target", target, "--out", f"o={self.path('o.npy')}", says=says)
        self.assertFalse((self.folder / "o.npy").exists())

    def test_ranks(self):
        self.refused_call(["q is [2, 96, 8] f32", "rank 4"], q=(2, 96, 8))
        self.refused_call(["k is [96, 8] f32", "rank 4"], k=(96, 8))

    def test_shapes_that_disagree(self):
        self.refused_call("batches", k=(2, 2, 96, 8), v=(2, 2, 96, 8))
        self.refused_call("heads and tokens must agree", v=(1, 2, 95, 8))
        self.refused_call("head dimensions must agree", q=(1, 2, 96, 16))
        self.refused_call("must be a multiple", q=(1, 3, 96, 8))
        self.refused_call(["w is [8, 9] f32", "[8, 8]"], spec="sla", w=(8, 9))
        self.refused_call(["b is [9] f32", "[8]"], spec="sla", b=(9,))

    def test_dtypes(self):
        self.refused_call("is f64; legal are f32, f16 and bf16", q=((1, 2, 96, 8), "<f8", "d"))
        self.refused_call("is i8; legal are f32, f16 and bf16", q=((1, 2, 96, 8), "|i1", "b"))
        self.refused_call("must share one dtype", k=((1, 2, 96, 8), "<f2", "e"))

    def test_lengths_and_classes(self):
        self.refused_call(["classes", "i8"], spec="sla", classes=((1, 2, 3, 2), "|i1", "b"))
        self.refused_call(["q_len", "i32"], q_len=((1,), "<f4", "f"))
        self.refused_call(["k_len", "[1] i32"], k_len=((2,), "<i4", "i"))

    def test_names(self):
        self.refused("run", "dense", *self.qkv(), "--in", f"w={self.path('q.npy')}", says=["--in names 'w'", "q, k, v"])
        self.refused("run", "dense", *self.qkv(names="qk"), says="input 'v' is missing")
        self.refused("run", "dense", *self.qkv(), "--in", f"q={self.path('q.npy')}", says="--in names 'q' twice")
        self.refused("run", "dense", "--in", "q", says="must be NAME=FILE")


if __name__ == "__main__":
    unittest.main()

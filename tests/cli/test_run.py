"""run on tensors: files in, files out, and what the report says. The reference and the compiled target must agree."""
import math
import unittest

from support import (Case, bfloat16, count, npy, pack, read_floats, read_npy, read_safetensors, safetensors, values)

SHAPE = (1, 2, 200, 8)


class Run(Case):
    def assertClose(self, got, right, bound=1e-5):
        self.assertEqual(len(got), len(right))
        error = math.sqrt(sum((a - b) ** 2 for a, b in zip(got, right)))
        self.assertLessEqual(error, bound * math.sqrt(sum(b * b for b in right)))

    def outputs(self, spec, target, *words):
        """o and lse as floats, classes as bytes."""
        names = ["o", "lse", "classes"] if spec != "dense" else ["o", "lse"]
        out = [f"--out={name}={self.path(target + name + '.npy')}" for name in names]
        report = self.passes("run", spec, "--target", target, "--json", *out, *words).json()
        self.assertEqual(sorted(report["outputs"]), sorted(names))
        floats = [read_floats(self.path(f"{target}{name}.npy")) for name in names[:2]]
        return report, floats[0], floats[1], read_npy(self.path(target + "classes.npy")) if len(names) == 3 else None

    def test_the_compiled_target_agrees_with_the_reference(self):
        for spec in ["dense", "sparse_topk", "sla", "sla_non_critical", "sla_all", "block_mean"]:
            with self.subTest(spec=spec):
                words = self.qkv(SHAPE)
                if spec != "dense":
                    words += ["--set", "block_q=32", "--set", "block_k=32", "--set", "keep=0.3"]
                report, o, lse, classes = self.outputs(spec, "cpu", *words)
                right, right_o, right_lse, right_classes = self.outputs(spec, "reference", *words)
                self.assertClose(o, right_o)
                self.assertClose(lse, right_lse)
                self.assertEqual(classes, right_classes)
                self.assertEqual(report.get("blocks"), right.get("blocks"))

    def test_blocks_add_up(self):
        report, _, _, (descr, shape, classes) = self.outputs("sla", "cpu", *self.qkv(SHAPE), "--set", "block_q=32",
                                                             "--set", "block_k=16", "--set", "keep=0.25")
        self.assertEqual((descr, shape), ("|i1", (1, 2, 7, 13)))
        self.assertEqual(report["blocks"], {"kept": classes.count(1), "linear": classes.count(0), "skipped": classes.count(255)})
        self.assertEqual(report["blocks"]["kept"], 2 * 7 * 3)

    def test_classes_handed_in_bypass_selection(self):
        classes = [1, 0, -1, 0] * 4
        given = self.write("given.npy", npy((1, 1, 4, 4), classes, "|i1", code="b"))
        words = [*self.qkv(SHAPE), "--in", f"classes={given}"]
        _, o, _, (_, shape, used) = self.outputs("sla", "cpu", *words)
        _, right, _, _ = self.outputs("sla", "reference", *words)
        self.assertEqual((shape, used), ((1, 2, 4, 4), pack(classes, "b") * 2))
        self.assertClose(o, right)

    def test_fortran_order_is_the_same_array(self):
        words = self.qkv(SHAPE)
        _, right, _, _ = self.outputs("dense", "reference", *words)
        b, h, n, d = SHAPE
        flat = values(SHAPE, 0)
        column_major = [flat[((i * h + j) * n + k) * d + c] for c in range(d) for k in range(n) for j in range(h) for i in range(b)]
        self.write("q.npy", npy(SHAPE, column_major, fortran=True))
        _, o, _, _ = self.outputs("dense", "reference", *words)
        self.assertEqual(o, right)

    def test_dtypes_of_files_are_kept_or_converted(self):
        halves = [round(value * 64) / 64 for value in values(SHAPE)]  # exact in f16 and bf16
        for dtype, content, out in [("f16", {name: ("F16", SHAPE, pack(halves, "e")) for name in "qkv"}, "F16"),
                                    ("bf16", {name: ("BF16", SHAPE, bfloat16(halves)) for name in "qkv"}, "BF16")]:
            with self.subTest(dtype=dtype):
                path = self.write(f"{dtype}.safetensors", safetensors(content))
                words = [f"--in={name}={path}:{name}" for name in "qkv"]
                report = self.passes("run", "dense", *words, "--json", "--out", f"o={self.path('o.safetensors')}").json()
                self.assertEqual(report["dtype"], dtype)
                self.assertEqual(read_safetensors(self.path("o.safetensors"))["o"][0], out)
                report, o, _, _ = self.outputs("dense", "cpu", *words, "--dtype", "f32")
                self.assertEqual(report["dtype"], "f32")
                files = [f"--in={name}={self.write(name + '.npy', npy(SHAPE, halves))}" for name in "qkv"]
                self.assertEqual(o, self.outputs("dense", "cpu", *files)[1])

    def test_lengths(self):
        lengths = self.write("k_len.npy", npy((1,), [70], "<i4", code="i"))
        _, o, _, _ = self.outputs("dense", "cpu", *self.qkv(SHAPE), "--in", f"k_len={lengths}")
        _, right, _, _ = self.outputs("dense", "reference", *self.qkv(SHAPE), "--in", f"k_len={lengths}")
        self.assertClose(o, right)
        self.write("k_len.npy", npy((1,), [201], "<i4", code="i"))
        self.refused("run", "dense", *self.qkv(SHAPE), "--in", f"k_len={lengths}", says=["k_len[0] is 201", "[0, 200]"])

    def test_likely_mistakes_warn(self):
        outcome = self.passes("run", "sla_all", *self.qkv(SHAPE), "--set", "drop=0.1", "--json", "--target", "reference")
        self.assertIn("tercet: warning: weight 'w' is not given", outcome.err)
        self.assertIn("tercet: warning: drop is 0.1", outcome.err)
        self.assertEqual(len(outcome.json()["warnings"]), 2)

    def test_made_up_data_is_seeded(self):
        def first(seed):
            self.passes("run", "dense", "--shape", "n=50,d=8", "--seed", seed, "--out", f"o={self.path('o.npy')}")
            return read_floats(self.path("o.npy"))[:20]
        self.assertEqual(first(1), first(1))
        self.assertNotEqual(first(1), first(2))
        self.assertEqual(count((1, 1, 50, 8)), len(read_floats(self.path("o.npy"))))


if __name__ == "__main__":
    unittest.main()

"""run --grad: gradients of the reference as files, and what is refused. The numbers are those of a few loops written here."""
import math
import struct
import unittest

from support import NO_GRADIENT, Case, count, npy, read_floats, read_npy, read_safetensors, values


def attention_gradients(q, k, v, do, n, m, d):
    """dq, dk, dv of one head of dense attention, all flat."""
    scale = 1 / math.sqrt(d)
    row = lambda x, t: x[t * d:(t + 1) * d]
    dot = lambda a, b: sum(x * y for x, y in zip(a, b))
    dq, dk, dv = [0.0] * (n * d), [0.0] * (m * d), [0.0] * (m * d)
    for i in range(n):
        weights = [math.exp(scale * dot(row(q, i), row(k, j))) for j in range(m)]
        p = [weight / sum(weights) for weight in weights]
        dp = [dot(row(do, i), row(v, j)) for j in range(m)]
        mean = dot(p, dp)
        for j in range(m):
            ds = scale * p[j] * (dp[j] - mean)
            for c in range(d):
                dq[i * d + c] += ds * k[j * d + c]
                dk[j * d + c] += ds * q[i * d + c]
                dv[j * d + c] += p[j] * do[i * d + c]
    return dq, dk, dv


def floats(data):
    return struct.unpack(f"<{len(data) // 4}f", data)


class Gradients(Case):
    def with_gradient(self, shape):
        return [*self.qkv(shape), "--in", f"do={self.write('do.npy', npy(shape, values(shape, 9)))}"]

    def test_dense(self):
        n, d = 9, 4
        shape = (1, 1, n, d)
        out = [f"--out={name}={self.path(name + '.npy')}" for name in ("o", "dq", "dk", "dv")]
        report = self.passes("run", "dense", "--target", "reference", "--grad", "--json", *out, *self.with_gradient(shape)).json()
        self.assertEqual(list(report["outputs"]), ["o", "dq", "dk", "dv"])
        self.assertEqual([stage["stage"] for stage in report["stages"]], ["reference", "gradients"])
        right = attention_gradients(*(values(shape, seed) for seed in (0, 1, 2, 9)), n, n, d)
        for name, expected in zip(("dq", "dk", "dv"), right):
            for got, want in zip(read_floats(self.path(name + ".npy")), expected):
                self.assertAlmostEqual(got, want, delta=1e-6)

    def test_weights_and_dtypes(self):
        path = self.path("all.safetensors")
        names = ["dq", "dk", "dv", "dw", "db"]
        self.passes("run", "sla", "--target", "reference", "--grad", "--shape", "b=1,h=4,hkv=2,n=130,d=8,dv=6", "--dtype", "bf16",
                    *(f"--out={name}={path}" for name in names))
        tensors = read_safetensors(path)
        self.assertEqual({name: tensor[:2] for name, tensor in tensors.items()},
                         {"dq": ("BF16", [1, 4, 130, 8]), "dk": ("BF16", [1, 2, 130, 8]), "dv": ("BF16", [1, 2, 130, 6]),
                          "dw": ("F32", [6, 6]), "db": ("F32", [6])})
        for name, tensor in tensors.items():
            self.assertNotEqual(tensor[2], bytes(len(tensor[2])), name)

    def test_tables(self):
        self.passes("run", "relative_bias", "--target", "reference", "--grad", "--shape", "h=2,n=20,d=8", "--out",
                    f"dbias={self.path('dbias.npy')}")
        descr, shape, _ = read_npy(self.path("dbias.npy"))
        self.assertEqual((descr, shape), ("<f4", (2, 16)))
        # A bias for all scores of a row changes nothing: what a head's entries get adds up to 0.
        entries = read_floats(self.path("dbias.npy"))
        self.assertGreater(max(entries), 0.1)
        for head in (entries[:16], entries[16:]):
            self.assertAlmostEqual(sum(head), 0, delta=1e-5)

    def test_given_classes_and_lengths(self):
        shape = (1, 2, 96, 8)
        classes = self.write("classes.npy", npy((1, 1, 2, 2), [1, 0, 0, 1], "|i1", code="b"))
        length = self.write("k_len.npy", npy((1,), [70], "<i4", code="i"))
        self.passes("run", "sla", "--target", "reference", "--grad", *self.with_gradient(shape), "--in", f"classes={classes}", "--in",
                    f"k_len={length}", "--out", f"dk={self.path('dk.npy')}")
        dk = read_floats(self.path("dk.npy"))
        for head in range(2):
            self.assertTrue(any(dk[(head * 96 + 69) * 8:(head * 96 + 70) * 8]))
            self.assertFalse(any(dk[(head * 96 + 70) * 8:(head + 1) * 96 * 8]))

    def test_check(self):
        words = ["sla", "--target", "reference", "--shape", "b=1,h=2,hkv=1,n=90,m=70,d=8", "--set", "keep=0.5", "--json"]
        report = self.passes("check", *words, "--grad").json()
        self.assertTrue(report["passed"])
        self.assertEqual([case["input_scale"] for case in report["cases"]], [1, 4, 16])
        for case in report["cases"]:
            outputs = {output["name"]: output for output in case["outputs"]}
            self.assertEqual(list(outputs), ["o", "lse", "dq", "dk", "dv", "dw", "db"])
            self.assertNotIn("norm_error", outputs["o"])
            self.assertGreaterEqual(outputs["dq"]["norm_error"]["bound"], 0.02)
        without = self.passes("check", *words).json()
        self.assertEqual([output["name"] for output in without["cases"][0]["outputs"]], ["o", "lse"])

    def refused_run(self, says, *words, spec="dense", target="reference", code=1):
        before = sorted(path.name for path in self.folder.rglob("*"))
        self.refused("run", spec, "--target", target, *words, code=code, says=says)
        self.assertEqual(before, sorted(path.name for path in self.folder.rglob("*")))

    def test_what_is_refused(self):
        shape = (1, 2, 96, 8)
        words, out = self.with_gradient(shape), ["--out", f"dq={self.path('dq.npy')}"]
        self.refused_run("input 'do' is missing: --grad starts from the derivative by o", "--grad", *self.qkv(shape), *out)
        self.refused_run("--out names 'dq', a gradient, which needs --grad", *self.qkv(shape), *out)
        self.refused_run(["--in names 'do'", "legal for spec 'dense' are q, k, v"], *words)
        self.refused_run(["--out names 'dw'", "o, lse, dq, dk, dv"], "--grad", *words, "--out", f"dw={self.path('dw.npy')}")
        weight = self.write("w.npy", npy((8, 8), values((8, 8))))
        self.refused_run("db is asked for, but b is not given", "--grad", *words, "--in", f"w={weight}", "--out",
                         f"db={self.path('db.npy')}", spec="sla")
        self.write("do.npy", npy((1, 2, 95, 8), [0.0] * count((1, 2, 95, 8))))
        self.refused_run("do is [1, 2, 95, 8] f32; expected [1, 2, 96, 8] f32, as o", "--grad", *words, *out)

    def test_compiled(self):
        shape = (1, 2, 70, 8)
        out = {target: self.path(target.replace(":", "_") + ".safetensors") for target in ("reference", "cpu", "cpu:portable")}
        for target, path in out.items():
            self.passes("run", "sparse_topk", "--target", target, "--grad", *self.with_gradient(shape),
                        *(f"--out={name}={path}" for name in ("dq", "dk", "dv")))
        right = read_safetensors(out.pop("reference"))
        for target, path in out.items():
            got = read_safetensors(path)
            for name in right:
                for x, y in zip(floats(got[name][2]), floats(right[name][2])):
                    self.assertAlmostEqual(x, y, delta=2e-6, msg=f"{name} on {target}")
        words = ["check", "sparse_topk", "--grad", "--shape", "b=1,h=4,hkv=2,n=130,d=16", "--json"]
        report = self.passes(*words).json()
        self.assertEqual([output["name"] for output in report["cases"][0]["outputs"]], ["o", "lse", "dq", "dk", "dv"])
        self.assertIn("gradient_keys", report["backward"]["schedule"])

    def test_what_compiled_targets_lack(self):
        for target in ("cpu", "sim:sm_80"):
            self.refused("run", NO_GRADIENT, "--grad", "--shape", "n=16,d=8", "--target", target,
                         says="has a linear branch beside a gate or several branches, of which no gradient is derived yet")

    def test_tables_learn_on_compiled_targets(self):
        made = {}
        for target in ("reference", "cpu", "sim:sm_80"):
            path = self.path(target.replace(":", "_") + ".npy")
            self.passes("run", "alibi", "--grad", "--shape", "h=3,n=70,d=8", "--target", target, "--out", f"dslopes={path}")
            made[target] = read_floats(path)
        right = made.pop("reference")
        for target, got in made.items():
            self.assertEqual(len(got), 3)
            for x, y in zip(got, right):
                self.assertAlmostEqual(x, y, delta=1e-4 * abs(y), msg=target)


if __name__ == "__main__":
    unittest.main()

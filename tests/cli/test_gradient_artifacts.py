"""compile --grad: artifacts of both directions, which tercet-run runs; other stages as two files."""
import json
import os
import pathlib
import subprocess
import unittest

from support import NO_GRADIENT, TERCET, Case, npy, values


class GradientArtifacts(Case):
    def compiled(self, spec, *words, head_dim=8):
        return self.passes("compile", spec, "--grad", "--head-dim", head_dim, "--target", "cpu:portable", "--json", *words).json()

    def tercet_run(self, *words, code=0):
        variables = {**os.environ, "TERCET_THREADS": "2"}
        process = subprocess.run([pathlib.Path(TERCET).parent / "tercet-run", *map(str, words), "--target", "cpu", "--json"],
                                 capture_output=True, text=True, timeout=300, env=variables)
        self.assertEqual(process.returncode, code, process.stdout[-2000:] + process.stderr[-2000:])
        return json.loads(process.stdout) if code == 0 else process.stderr

    def inputs(self, shape=(1, 2, 96, 8)):
        return [*self.qkv(shape), "--in", f"do={self.write('do.npy', npy(shape, values(shape, 9)))}"]

    def test_one_file_holds_both_directions(self):
        for spec, names in [("sparse_topk", ["o", "lse", "classes", "dq", "dk", "dv"]), ("dense", ["dk"])]:
            report = self.compiled(spec, "-o", self.path("both.tercet"))
            self.assertEqual(pathlib.Path(report["output"]).stat().st_size, report["bytes"])
            directions = {kernel["kernel"]: kernel["direction"] for kernel in report["kernels"]}
            self.assertEqual((directions["attend"], directions["gradient_queries"], directions["gradient_keys"]),
                             ("forward", "backward", "backward"))
            inputs = self.inputs()
            out = lambda folder: [f"--out={name}={self.path(folder + '_' + name + '.npy')}" for name in names]
            self.passes("run", spec, "--grad", *inputs, "--target", "cpu:portable", *out("direct"))
            ran = self.tercet_run(self.path("both.tercet"), "--grad", *inputs, *out("loaded"))
            self.assertEqual([stage["direction"] for stage in ran["stages"]], sorted((stage["direction"] for stage in ran["stages"]), reverse=True))
            self.assertEqual((ran["spec"], ran["module"], ran["stages"][-1]["stage"]), (spec, "cpu:portable", "gradient"))
            for name in names:
                self.assertEqual((self.folder / f"loaded_{name}.npy").read_bytes(), (self.folder / f"direct_{name}.npy").read_bytes(), name)

    def test_gradients_of_weights(self):
        self.compiled("sla", "-o", self.path("both.tercet"))
        inputs = [*self.inputs(), "--in", f"w={self.write('w.npy', npy((8, 8), values((8, 8), 5)))}"]
        self.tercet_run(self.path("both.tercet"), "--grad", *inputs, "--out", f"dw={self.path('loaded.npy')}")
        self.passes("run", "sla", "--grad", *inputs, "--target", "cpu:portable", "--out", f"dw={self.path('direct.npy')}")
        self.assertEqual((self.folder / "loaded.npy").read_bytes(), (self.folder / "direct.npy").read_bytes())
        self.assertIn("--out names 'db', but b is not given",
                      self.tercet_run(self.path("both.tercet"), "--grad", *inputs, "--out", f"db={self.path('db.npy')}", code=1))

    def test_without_grad_the_forward_runs_alone(self):
        self.compiled("dense", "-o", self.path("both.tercet"))
        self.tercet_run(self.path("both.tercet"), *self.qkv(), "--out", f"o={self.path('o.npy')}")
        self.passes("run", "dense", *self.qkv(), "--grad", "--in", f"do={self.write('do.npy', npy((1, 2, 96, 8), values((1, 2, 96, 8))))}",
                    "--target", "cpu:portable", "--out", f"o={self.path('direct.npy')}")
        self.assertEqual((self.folder / "o.npy").read_bytes(), (self.folder / "direct.npy").read_bytes())
        self.assertIn("'dq', which this artifact does not write; gradients need --grad",
                      self.tercet_run(self.path("both.tercet"), *self.qkv(), "--out", f"dq={self.path('dq.npy')}", code=1))

    def test_what_tercet_run_refuses(self):
        self.passes("compile", "dense", "--head-dim", 8, "--target", "cpu:portable", "-o", self.path("one.tercet"))
        self.assertIn("--grad: the artifact of 'dense' holds no backward; 'tercet compile --grad' makes one that does",
                      self.tercet_run(self.path("one.tercet"), "--grad", *self.inputs(), code=1))
        self.compiled("dense", "-o", self.path("both.tercet"))
        self.assertIn("'do'", self.tercet_run(self.path("both.tercet"), "--grad", *self.qkv(), code=1))

    def test_other_stages_are_two(self):
        report = self.compiled("dense", "--emit", "obj", "-o", self.path("dense.o"))
        self.assertEqual(report["outputs"], {name: self.path(f"dense.{name}.o") for name in ("forward", "backward")})
        self.assertEqual(report["bytes"], sum(pathlib.Path(path).stat().st_size for path in report["outputs"].values()))
        text = self.passes("compile", "dense", "--grad", "--head-dim", 8, "--emit", "tkern").out
        self.assertLess(text.index("tkern.kernel @attend"), text.index("tkern.kernel @gradient_queries"))
        files = self.passes("compile", "dense", "--grad", "--head-dim", 8, "--target", "cpu:v3,cpu:portable", "--emit", "llvm",
                            "-o", self.path("dense.ll")).out
        for target in ("cpu-v3", "cpu-portable"):
            for direction in ("forward", "backward"):
                self.assertIn(f"{direction} llvm for {target.replace('-', ':')}: ", files)
                self.assertTrue((self.folder / f"dense.{target}.{direction}.ll").is_file())

    def test_the_spec_has_no_direction(self):
        self.refused("compile", "dense", "--grad", "--head-dim", 8, "--emit", "tercet", says="which has no direction")
        self.refused("compile", NO_GRADIENT, "--grad", "--head-dim", 8, "-o", self.path("x.tercet"),
                     says="no gradient is derived yet")
        self.assertEqual(list(self.folder.glob("x*")), [])


if __name__ == "__main__":
    unittest.main()

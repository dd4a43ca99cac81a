"""tercet-demo from outside: what it refuses and with which exit code, and one run from the photograph to the pictures.

usage: program.py TERCET_DEMO"""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

DEMO = sys.argv.pop(1)


class Program(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="tercet-demo-")
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def run_demo(self, *arguments):
        return subprocess.run([DEMO, *map(str, arguments)], capture_output=True, text=True, timeout=600)

    def check_refused(self, message, *arguments):
        done = self.run_demo(*arguments)
        self.assertEqual((done.returncode, done.stderr, done.stdout), (1, f"tercet: error: {message}\n", ""))

    def test_refuses_options(self):
        out = self.folder / "out"
        self.check_refused("--out DIR is missing: the folder for the pictures")
        self.check_refused("tercet-demo has no option '--sed'; did you mean '--seed'?; see 'tercet-demo --help'", "--sed=1")
        self.check_refused("'x' is one word too many; see 'tercet-demo --help'", "--out", out, "x")
        self.check_refused("--seed: Value -1 not in range 0 to 1000000000", "--out", out, "--seed", "-1")
        self.check_refused("--runs: Value 0 not in range 1 to 100", "--out", out, "--runs", "0")
        self.assertFalse(out.exists())

    def test_refuses_places_and_pictures(self):
        file = self.folder / "file"
        file.write_text("no picture")
        out = self.folder / "out"
        self.check_refused(f"cannot make the folder {file}/x: Not a directory", "--out", file / "x")
        self.check_refused(f"{file}: this is no PNG file", "--out", out, "--image", file)
        self.check_refused(f"cannot read {file}.png: No such file or directory", "--out", out, "--image", f"{file}.png")
        self.assertEqual(list(out.iterdir()), [])

    def test_denoises(self):
        done = self.run_demo("--out", self.folder, "--runs", 1, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        variants = {variant["name"]: variant for variant in report["variants"]}
        self.assertEqual(list(variants), ["dense", "sparse_topk", "block_mean", "sla"])
        # The noise is 20 dB by its definition, sigma = 0.1; every variant must take away more than half of it.
        self.assertAlmostEqual(report["noisy_psnr_db"], 20, delta=0.1)
        for name, variant in variants.items():
            self.assertGreater(variant["psnr_db"], 25, name)
        self.assertEqual(variants["dense"]["relative_error_vs_dense"], 0)
        # floor(5 % of 1024) blocks in each of 1024 rows, and besides them the row's own.
        for name in ("sparse_topk", "block_mean", "sla"):
            self.assertEqual(variants[name]["exact_blocks"], (51 + 1) * 1024, name)
        # What the two add to the exact blocks is there to bring them closer to dense: block means by what they stand for,
        # the projection because W = 0, b = 0 is among the choices of its fit.
        for name in ("block_mean", "sla"):
            self.assertLess(variants[name]["relative_error_vs_dense"],
                            variants["sparse_topk"]["relative_error_vs_dense"], name)
        names = ["block_mean", "classes", "clean", "demo", "dense", "noisy", "sla", "sparse_topk"]
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), [f"{name}.png" for name in names])
        self.assertEqual(sorted(report["files"]), [str(self.folder / f"{name}.png") for name in names])


unittest.main()

"""tercet-run and tercet-bundle: artifacts without the compiler, tables of cases, the script of the GPU bundle."""
import json
import os
import pathlib
import subprocess
import unittest

from support import TERCET, Case

PROGRAMS = pathlib.Path(TERCET).parent
SOURCE = pathlib.Path(__file__).resolve().parents[2]


class ArtifactRuns(Case):
    def program(self, name, *words, code=0, **environment):
        self.write("libcuda.so.1", "no library")  # what the loader finds first, so that a GPU of this machine is not seen
        variables = {**os.environ, "TERCET_THREADS": "2", "LD_LIBRARY_PATH": str(self.folder), **environment}
        process = subprocess.run([PROGRAMS / name, *map(str, words)], capture_output=True, text=True, timeout=300, env=variables)
        self.assertEqual(process.returncode, code, process.stdout[-2000:] + process.stderr[-2000:])
        return process

    def bundle(self):
        self.program("tercet-bundle", "-o", self.path("bundle"), "--target", "cpu:portable", "--quick", "--commit", "abc")
        return self.folder / "bundle"

    def test_an_artifact_gives_what_the_compiler_gives(self):
        self.passes("compile", "dense", "--head-dim", 8, "--target", "cpu:portable", "-o", self.path("dense.tercet"))
        inputs = self.qkv()
        self.passes("run", "dense", *inputs, "--target", "cpu:portable", "--out", f"o={self.path('direct.npy')}")
        report = json.loads(self.program("tercet-run", self.path("dense.tercet"), *inputs, "--target", "cpu", "--out",
                                         f"o={self.path('o.npy')}", "--json").stdout)
        self.assertEqual((report["spec"], report["module"]), ("dense", "cpu:portable"))
        self.assertEqual((self.folder / "o.npy").read_bytes(), (self.folder / "direct.npy").read_bytes())

    def test_a_runtime_parameter_is_set_without_compiling(self):
        self.passes("compile", "dense", "--head-dim", 8, "--target", "cpu:portable", "-o", self.path("dense.tercet"))
        inputs = self.qkv()
        self.passes("run", "dense", *inputs, "--target", "cpu:portable", "--set", "scale=0.5", "--out",
                    f"o={self.path('direct.npy')}")
        self.program("tercet-run", self.path("dense.tercet"), *inputs, "--target", "cpu", "--set", "scale=0.5", "--out",
                     f"o={self.path('o.npy')}")
        self.assertEqual((self.folder / "o.npy").read_bytes(), (self.folder / "direct.npy").read_bytes())

    def test_a_bundle_passes_where_it_was_made(self):
        bundle = self.bundle()
        process = self.program("tercet-run", "--cases", bundle / "cases.json", "--target", "cpu", "--json")
        results = json.loads(process.stdout)
        self.assertTrue(results["passed"])
        self.assertEqual(results["commit"], "abc")
        self.assertEqual({case["spec"] for case in results["cases"]}, {"dense", "sla"})
        for case in results["cases"]:
            self.assertGreater(case["rows"], 0)
            self.assertLessEqual(case["o"]["relative_l2"]["value"], case["o"]["relative_l2"]["bound"])

    def test_results_are_compared_with_another_target(self):
        bundle = self.bundle()
        results = json.loads(self.program("tercet-run", "--cases", bundle / "cases.json", "--target", "cpu", "--beside",
                                          "cpu:portable", "--json").stdout)
        for case in results["cases"]:
            self.assertEqual((case["beside"]["target"], case["beside"]["equal_share"]), ("cpu:portable", 1))

    def test_wrong_expectations_fail(self):
        bundle = self.bundle()
        table = json.loads((bundle / "cases.json").read_text())
        for case in table["cases"]:
            case["bounds"]["o"]["relative_l2"] = 1e-9
        (bundle / "cases.json").write_text(json.dumps(table))
        process = self.program("tercet-run", "--cases", bundle / "cases.json", "--target", "cpu", "--json", code=1)
        self.assertFalse(json.loads(process.stdout)["passed"])

    def test_a_damaged_table_is_refused(self):
        path = self.write("cases.json", '{"compiler": 3}')
        self.assertIn("is no table of cases", self.program("tercet-run", "--cases", path, "--target", "cpu", code=1).stderr)

    def test_without_a_gpu_one_sentence_says_so(self):
        bundle = self.bundle()
        for words in [["--cases", bundle / "cases.json"], [next((bundle / "artifacts").iterdir()), *self.qkv()]]:
            process = self.program("tercet-run", *words, code=3)
            self.assertEqual(process.stderr.strip(), "tercet: error: there is no GPU to run on: the NVIDIA driver's "
                                                     "libcuda.so.1 cannot be loaded on this machine")

    def test_an_artifact_without_code_for_the_target(self):
        self.passes("compile", "dense", "--head-dim", 8, "--target", "cpu:portable", "-o", self.path("dense.tercet"))
        process = self.program("tercet-run", self.path("dense.tercet"), *self.qkv(), "--target", "sim:sm_80", code=3)
        self.assertIn("has no code that 'sim:sm_80' (sm_80) can run; it has: cpu:portable", process.stderr)

    def test_the_gpu_bundle_passes_on_the_simulator(self):
        if not self.passes("config", "--json").json()["nvrtc"]:
            self.skipTest("there is no NVRTC")
        archive = self.path("bundle.tar.xz")
        built = subprocess.run(["bash", SOURCE / "bench/gpu_bundle.sh", "--target", "sm_80", "--quick", "-o", archive],
                               capture_output=True, text=True, timeout=300,
                               env={**os.environ, "BUNDLE_BUILT": "1", "BUNDLE_PROGRAMS": str(PROGRAMS)})
        self.assertEqual(built.returncode, 0, built.stdout + built.stderr)
        subprocess.run(["tar", "-C", self.folder, "-xf", archive], check=True)
        script = subprocess.run(["bash", self.folder / "tercet-gpu/gpu_check.sh", "--device", "sim:sm_80", "--out",
                                 self.path("out"), "--quick"], capture_output=True, text=True, timeout=600)
        self.assertEqual(script.returncode, 0, script.stdout + script.stderr)
        results = json.loads((self.folder / "out/results.json").read_text())
        self.assertTrue(results["cases"]["passed"])
        self.assertGreaterEqual(len(results["conformance"]["kernels"]), 25)
        for kernel in results["conformance"]["kernels"]:
            self.assertTrue(kernel["equal"], kernel)  # the simulator beside itself: every kernel is known and ran
            self.assertTrue(any(fill["device"].strip("0") for fill in kernel["fills"]), kernel)
        for case in results["cases"]["cases"]:
            self.assertTrue(case["deterministic"], case)
            for what in ["changed_data", "changed_parameters", "parameters_matter"]:
                self.assertTrue(case["graph"][what], case)
            self.assertGreater(sum(kernel["instructions"] for kernel in case["kernels"]), 0)
        again = self.program("tercet-run", "--cases", self.folder / "tercet-gpu/cases.json", "--target", "sim:sm_86", "--beside",
                             "sim", "--json")
        for case in json.loads(again.stdout)["cases"]:
            self.assertEqual((case["module"], case["beside"]["target"], case["beside"]["equal_share"]), ("sm_80", "sim:sm_80", 1))

    def test_the_script_reports_every_step(self):
        bundle = self.bundle()
        for file in [PROGRAMS / "tercet-run", SOURCE / "bench/gpu_check.sh"]:
            (bundle / file.name).symlink_to(file)
        script = subprocess.run(["bash", bundle / "gpu_check.sh", "--device", "cpu", "--out", self.path("out"), "--quick"],
                                capture_output=True, text=True, timeout=300)
        self.assertEqual(script.returncode, 0, script.stdout + script.stderr)
        results = json.loads((self.folder / "out/results.json").read_text())
        self.assertEqual(results["steps"]["cases"], "passed")
        self.assertIn("not run", results["steps"]["sanitizer"])
        self.assertTrue(results["cases"]["passed"])
        self.assertIn("## Cases: 2 of 2 passed", (self.folder / "out/report.md").read_text())


if __name__ == "__main__":
    unittest.main()

"""check, explain, compile and bench: what their reports promise."""
import pathlib
import struct
import unittest

from support import Case


def elf_functions(path):
    """{name: bytes of code} of the global functions of an ELF object (64 bit, little-endian)."""
    content = pathlib.Path(path).read_bytes()
    table, = struct.unpack_from("<Q", content, 40)
    size, count = struct.unpack_from("<HH", content, 58)
    sections = [struct.unpack_from("<IIQQQQII", content, table + size * index) for index in range(count)]
    functions = {}
    for kind, offset, length, link in [(s[1], s[4], s[5], s[6]) for s in sections]:
        if kind != 2:  # SHT_SYMTAB
            continue
        names = content[sections[link][4]:]
        for at in range(offset, offset + length, 24):
            name, info, _, section, _, code = struct.unpack_from("<IBBHQQ", content, at)
            if info == 0x12 and section:  # STB_GLOBAL, STT_FUNC, defined
                functions[names[name:names.index(b"\0", name)].decode()] = code
    return functions


class Check(Case):
    def test_sla_passes_at_the_three_scales(self):
        report = self.passes("check", "sla", "--shape", "b=1,h=2,n=517,d=40", "--json").json()
        self.assertTrue(report["passed"])
        self.assertEqual([case["input_scale"] for case in report["cases"]], [1, 4, 16])
        for case in report["cases"]:
            self.assertTrue(case["passed"])
            self.assertEqual(case["rows"], 2 * 517)
            self.assertEqual({output["name"] for output in case["outputs"]}, {"o", "lse"})
            for output in case["outputs"]:
                self.assertLessEqual(output["relative_l2"]["value"], output["relative_l2"]["bound"])
            self.assertGreater(case["classes"]["blocks"], 0)
        self.assertEqual(report["compiles"], 1)

    def test_large_calls_are_checked_on_seeded_rows(self):
        words = ["check", "dense", "--shape", "b=1,h=2,n=3000,d=16", "--rows", "100", "--json"]
        report = self.passes(*words).json()
        self.assertEqual({case["rows"] for case in report["cases"]}, {100})

    def test_sweeps_are_checked_too(self):
        report = self.passes("check", "sla", "--shape", "b=1,h=1,n=150,d=16", "--sweep-shapes", 3, "--sweep-settings", 3,
                             "--rows", 40, "--json").json()
        self.assertEqual((report["launches"], report["compiles"]), (21, 1))

    def test_sweeps_under_a_token_order_draw_its_grid(self):
        report = self.passes("check", "vsa", "--shape", "b=1,h=1,n=128,d=16", "--sweep-shapes", 3, "--rows", 40,
                             "--json").json()
        self.assertEqual((report["launches"], report["compiles"]), (12, 1))

    def test_files_are_checked_as_they_are(self):
        report = self.passes("check", "dense", *self.qkv(), "--json").json()
        self.assertEqual(len(report["cases"]), 1)


class Explain(Case):
    def test_the_text_says_what_runs(self):
        text = self.passes("explain", "sla", "--shape", "b=1,h=2,n=4096,d=64").out
        for word in ["exact (critical)", "linear (marginal)", "aggregation: ", "schedule: ", "plan: ", "attend",
                     "workspace: ", "memory: h and H of one pass take"]:
            self.assertIn(word, text)

    def test_the_counts_are_those_of_a_run(self):
        shape = ["--shape", "b=1,h=2,n=1000,d=16"]
        explained = self.passes("explain", "sla", *shape, "--json").json()
        run = self.passes("run", "sla", *shape, "--json").json()
        self.assertEqual(explained["blocks"], run["blocks"])
        self.assertEqual(explained["workspace_bytes"], run["workspace_bytes"])
        flop = {}
        for node in explained["plan"]:
            flop[node["stage"]] = flop.get(node["stage"], 0) + node["flop"]
        self.assertEqual(flop, {stage["stage"]: stage["flop"] for stage in run["stages"]})

    def test_state_stays_within_the_bytes_of_k(self):
        report = self.passes("explain", "sla", "--shape", "b=1,h=12,n=32760,d=128", "--json").json()
        self.assertLessEqual(report["state_bytes"], 12 * 32760 * 128 * 4)
        self.assertGreater(report["state_bytes"], 0)


class Compile(Case):
    def test_text_goes_to_standard_output(self):
        self.assertIn("tercet.spec @dense", self.passes("compile", "dense", "--head-dim", 64, "--emit", "tercet").out)
        self.assertIn("tkern.kernel", self.passes("compile", "dense", "--head-dim", 64, "--emit", "tkern").out)
        self.assertIn("define ", self.passes("compile", "dense", "--head-dim", 64, "--emit", "llvm").out)

    def test_several_targets_give_several_files(self):
        report = self.passes("compile", "sla", "--head-dim", "40,24", "--target", "cpu:v3,cpu:portable", "--dtype", "bf16",
                             "--json", "-o", self.path("sla.tercet")).json()
        self.assertEqual([entry["target"] for entry in report["targets"]], ["cpu:v3", "cpu:portable"])
        for entry in report["targets"]:
            self.assertEqual(pathlib.Path(entry["output"]).stat().st_size, entry["bytes"])
            self.assertTrue(entry["kernels"])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()),
                         ["sla.cpu-portable.tercet", "sla.cpu-v3.tercet"])

    def test_figures_of_cpu_kernels_are_those_of_the_object(self):
        words = ["compile", "sla", "--head-dim", 64, "--target", "cpu:v3", "--json"]
        artifact = self.passes(*words, "-o", self.path("sla.tercet")).json()["kernels"]
        self.assertEqual(self.passes(*words, "--emit", "obj", "-o", self.path("sla.o")).json()["kernels"], artifact)
        symbols = elf_functions(self.path("sla.o"))
        self.assertEqual({kernel["kernel"]: kernel["code_bytes"] for kernel in artifact}, symbols)
        for kernel in artifact:
            self.assertEqual([kernel[key] for key in ["registers", "spill_bytes", "smem_bytes"]], [None] * 3)
            self.assertGreater(kernel["stack_bytes"], 0)  # the registers that a function saves, at least
            self.assertLess(kernel["stack_bytes"], 65536)
        self.assertGreater(max(kernel["scratch_bytes"] for kernel in artifact), 0)

    def test_cuda_text_needs_no_nvrtc(self):
        self.assertIn("__global__", self.passes("compile", "dense", "--head-dim", 64, "--target", "sm_80", "--dtype", "bf16",
                                                "--emit", "cuda", TERCET_NVRTC=self.path("none.so")).out)

    def test_code_for_a_gpu_needs_nvrtc(self):
        self.refused("compile", "dense", "--head-dim", "64", "--target", "sm_80", "--dtype", "bf16", "--emit", "cubin",
                     "-o", self.path("x"), code=3, says="NVRTC", TERCET_NVRTC=self.path("none.so"))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_stage_that_does_not_fit_the_target(self):
        self.refused("compile", "dense", "--head-dim", "64", "--emit", "ptx", "-o", self.path("x"), says="'ptx'")
        self.assertEqual(list(self.folder.iterdir()), [])


class Bench(Case):
    def test_the_report_is_whole(self):
        report = self.passes("bench", "sla", "--shape", "b=1,h=1,n=512,d=32", "--repetitions", 3, "--json").json()
        self.assertEqual(report["repetitions"], 3)
        for key in ["ms", "executed_tflops", "dense_ms", "speedup_vs_dense", "fraction_of_peak", "fraction_of_floor"]:
            self.assertGreater(report[key], 0, key)
        self.assertAlmostEqual(report["executed_tflops"],
                               sum(stage["flop"] for stage in report["stages"]) / report["ms"] / 1e9)
        for stage in report["stages"]:
            self.assertEqual(sorted(stage), ["bytes", "flop", "ms", "stage"])


if __name__ == "__main__":
    unittest.main()

"""GPU kernels on the simulator, from the command line. Needs NVRTC; without it every test here is skipped."""
import unittest

from support import Case


class Simulator(Case):
    def setUp(self):
        super().setUp()
        if not self.passes("config", "--json").json()["nvrtc"]:
            self.skipTest("there is no NVRTC")

    def test_dense_and_sla_pass_the_contract(self):
        for spec in ["dense", "sla"]:
            with self.subTest(spec=spec):
                report = self.passes("check", spec, "--target", "sim:sm_80", "--shape", "b=1,h=1,n=100,m=130,d=64", "--dtype",
                                     "bf16", "--json").json()
                self.assertTrue(report["passed"])
                self.assertEqual((report["target"], report["module"]), ("sim:sm_80", "sm_80"))
                self.assertEqual(report["compiles"], 1)

    def test_dense_passes_with_adversarial_timing(self):
        for seed in [1, 2]:
            report = self.passes("check", "dense", "--target", "sim:sm_80", "--shape", "n=70,m=130,d=64", "--dtype", "bf16",
                                 "--adversarial", seed, "--json").json()
            self.assertTrue(report["passed"])
        self.refused("check", "dense", "--shape", "n=8,d=8", "--adversarial", "1", says="--adversarial is for simulated devices")

    def test_kernels_are_counted(self):
        report = self.passes("run", "dense", "--target", "sim:sm_80", "--shape", "n=64,d=64", "--dtype", "bf16", "--json").json()
        self.assertEqual(report["device"]["architecture"], "sm_80")
        flop = sum(kernel["matrix_flop"] for kernel in report["kernels"])
        self.assertGreaterEqual(flop, 2 * 2 * 64 * 64 * 64)  # two products, perhaps padded
        for kernel in report["kernels"]:
            self.assertGreater(kernel["instructions"], 0)
            self.assertIn("bank_conflicts", kernel)

    def test_blocks_are_those_of_the_cpu(self):
        shape = ["--shape", "b=1,h=2,n=200,d=64", "--dtype", "bf16", "--json"]
        simulated = self.passes("run", "sla", "--target", "sim:sm_80", *shape).json()
        host = self.passes("run", "sla", "--target", "cpu", *shape).json()
        self.assertEqual(simulated["blocks"], host["blocks"])

    def test_explain_tells_what_the_compiler_passed_over(self):
        words = ["explain", "causal", "--target", "sim:sm_90a", "--shape", "n=128,d=64", "--dtype", "bf16"]
        why = "masks and score regions are computed by warps"
        self.assertIn(why, self.passes(*words).out)
        again = self.passes(*words, "--json").json()
        self.assertEqual(again["cache"], "hit")
        self.assertTrue(any(why in remark for remark in again["remarks"]), again["remarks"])

    def test_explain_shows_the_plan_and_the_resources(self):
        text = self.passes("explain", "sla", "--target", "sim:sm_80", "--shape", "n=4096,d=64", "--dtype", "bf16").out
        for word in ["attend", "registers", "bytes of shared memory", "workspace: "]:
            self.assertIn(word, text)

    def test_strides_that_a_gpu_cannot_copy_are_refused(self):
        self.refused("run", "dense", "--target", "sim:sm_80", "--shape", "n=8,d=20", "--dtype", "bf16", code=3, says="20")

    def test_an_unknown_simulated_device(self):
        self.refused("run", "dense", "--target", "sim:sm_70", "--shape", "n=8,d=8", code=3, says="no simulated device 'sim:sm_70'")

    def test_bench_counts_once(self):
        report = self.passes("bench", "dense", "--target", "sim:sm_80", "--shape", "n=64,d=64", "--dtype", "bf16", "--json").json()
        self.assertEqual(report["repetitions"], 1)
        self.assertTrue(report["kernels"])
        self.assertNotIn("peak_tflops", report)


if __name__ == "__main__":
    unittest.main()

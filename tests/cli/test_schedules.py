"""--schedule and --deterministic: schedules are named, refused with what is legal, told again, and kept apart in the cache."""
import unittest

from support import Case

SHAPE = ["--shape", "b=1,h=2,n=700,d=32"]
GPU = ["--shape", "n=130,d=32", "--dtype", "bf16", "--target", "sim:sm_80"]


class Named(Case):
    def explained(self, *words, spec="sla"):
        return self.passes("explain", spec, *SHAPE, "--json", *words).json()

    def test_a_named_schedule_is_compiled_and_told(self):
        default = self.explained()
        self.assertEqual(default["schedule_source"], "default")
        named = self.explained("--schedule", "cpu=super_row=128 subset_blocks=2")
        self.assertEqual(named["schedule_source"], "explicit")
        self.assertEqual(named["cache"], "miss")
        self.assertIn("super_row=128", named["schedule"]["attend"])
        self.assertIn("subset_blocks=2", named["schedule"]["attend"])
        self.assertNotIn("super_row=128", default["schedule"]["attend"])
        self.assertEqual(self.explained("--schedule", "cpu=" + named["schedule"]["attend"])["schedule"], named["schedule"])

    def test_the_text_says_where_it_comes_from(self):
        self.assertIn("schedule: default", self.passes("explain", "sla", *SHAPE).out)
        self.assertIn("schedule: explicit", self.passes("explain", "sla", *SHAPE, "--schedule", "cpu=super_row=64").out)

    def test_every_command_takes_it(self):
        named = ["--schedule", "cpu=super_row=128"]
        self.assertIn("super_row=128", self.passes("run", "sla", *SHAPE, *named, "--json").json()["schedule"]["attend"])
        self.assertTrue(self.passes("check", "sla", *SHAPE, *named, "--json").json()["passed"])
        report = self.passes("bench", "sla", *SHAPE, *named, "--repetitions", "3", "--json").json()
        self.assertIn("super_row=128", report["schedule"]["attend"])
        text = self.passes("compile", "sla", "--head-dim", "32", "--emit", "tkern", *named).out
        self.assertIn("super_row=128", text)

    def test_directions_have_their_own(self):
        report = self.explained("--grad", "--schedule", "backward.cpu=key_rows=128", "--schedule", "forward.cpu=super_row=64")
        self.assertIn("super_row=64", report["schedule"]["attend"])
        self.assertIn("key_rows=128", next(iter(report["backward"]["schedule"].values())))
        self.assertIn("super_row=256", next(iter(report["backward"]["schedule"].values())))

    def test_forms_of_kernels_are_named_by_their_text(self):
        default = self.passes("explain", "dense", *GPU, "--json").json()["schedule"]["attend"]
        other = default.replace("keys 64", "keys 32")
        self.assertNotEqual(default, other)
        for text in [other, other.removeprefix("#tkern.gpu_schedule")]:
            report = self.passes("run", "dense", *GPU, "--schedule", "attend=" + text, "--json").json()
            self.assertEqual(report["schedule"]["attend"], other)
            self.assertEqual(report["schedule_source"], "explicit")

    def test_deterministic_is_the_default(self):
        self.assertEqual(self.explained("--deterministic")["schedule_source"], "default")
        self.refused("run", "sla", *SHAPE, "--deterministic", "--schedule", "cpu=super_row=64", says="exclude each other")


class Refused(Case):
    def refused_cpu(self, text, *says, spec="sla"):
        self.refused("run", spec, *SHAPE, "--target", "cpu:portable", "--schedule", "cpu=" + text, says=says)

    def test_texts_of_cpus(self):
        self.refused_cpu("super_row=100", "super_row=100 is not legal", "legal values are 64, 128")
        self.refused_cpu("super_row", "is not KNOB=N", "super_row, key_tile")
        self.refused_cpu("super_row=x", "is not KNOB=N")
        self.refused_cpu("supr_row=64", "did you mean 'super_row'?")
        self.refused_cpu("super_row=64 super_row=64", "names super_row twice")
        self.refused_cpu("cpu v4 super_row=64", "is for cpu:v4; this target is cpu:portable")
        self.refused_cpu("value_slice=16", "'value_slice' is not a knob", spec="dense")
        self.refused_cpu("key_rows=64", "'key_rows' is not a knob")
        self.refused_cpu("subset_blocks=5", "whole-runs-of-subsets", "legal with the other knobs are 1, 2, 4")
        self.refused_cpu("key_tile=0", "key_tile=0 is not legal")

    def test_names_of_kernels(self):
        self.refused("run", "sla", *SHAPE, "--schedule", "attend=super_row=64", says=["no schedule for kernel 'attend'", "named 'cpu'"])
        self.refused("run", "dense", *GPU, "--schedule", "attnd=x", says=["'attnd'", "kernels with several are attend"])
        self.refused("run", "dense", *GPU, "--schedule", "attend=x", says=["has no schedule 'x'", "#tkern.gpu_schedule<4 x warp"])

    def test_options_without_a_kernel_or_a_text(self):
        for text in ["", "cpu", "cpu=", "=super_row=64", "forward.=x"]:
            self.refused("run", "sla", *SHAPE, "--schedule", text, says="KERNEL=SCHEDULE")


if __name__ == "__main__":
    unittest.main()

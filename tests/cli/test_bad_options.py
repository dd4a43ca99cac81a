"""Option values that are wrong: shapes, settings, targets, numbers. One sentence with what was given and what is legal."""
import unittest

from support import Case


class Shapes(Case):
    def test_shapes(self):
        for shape, says in {
                "n=8": "must give d (head dimension)",
                "d=8": "must give n (query tokens)",
                "n=0,d=8": "n must be a whole number from 1 to 2147483647",
                "n=-3,d=8": "n must be a whole number",
                "n=8,d=8,h=x": "h must be a whole number",
                "n=8,d=8,d=8": "gives 'd' twice",
                "n=8,d=8,tokens=3": "holds 'tokens=3', which is none of its sizes",
                "n=8,d=8,": "none of its sizes",
                "": "none of its sizes",
                "n=8,d": "none of its sizes",
                "n=8,d=8,h=4,hkv=3": "h must be a multiple of hkv",
                "n=99999999999999999999,d=8": "n must be a whole number",
                "b=2000000000,h=2000000000,n=2000000000,d=2000000000": "this machine has",
                "b=1000,h=100,n=1000000,d=128": "this machine has",
        }.items():
            with self.subTest(shape=shape):
                self.refused("run", "dense", "--shape", shape, says=says)
                self.refused("explain", "dense", "--shape", shape, says=says if shape else "--shape is missing")

    def test_shapes_of_one_run_share_what_binds_at_compile_time(self):
        self.refused("run", "dense", "--shape", "n=8,d=8", "--shape", "n=8,d=16", says="differ in d or dv")

    def test_shape_and_files_exclude_each_other(self):
        self.refused("run", "dense", "--shape", "n=8,d=8", *self.qkv(), says="--in and --shape exclude each other")
        self.refused("run", "dense", says="no data")


class Settings(Case):
    def refused_setting(self, setting, *says, spec="sla"):
        outcome = self.tercet("run", spec, "--shape", "n=200,d=8", "--set", setting)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertEqual(outcome.out, "", outcome)
        for text in says:
            self.assertIn(text, outcome.err, outcome)

    def test_unknown_names_get_a_suggestion(self):
        self.refused_setting("kepp=0.1", "no parameter 'kepp'", "did you mean 'keep'?")
        self.refused_setting("keep=0.1", "no parameter 'keep'", spec="dense")

    def test_values_out_of_range(self):
        self.refused_setting("keep=1.5", "1.5")
        self.refused_setting("keep=-0.1", "-0.1")
        self.refused_setting("scale=0", "scale")
        self.refused_setting("scale=-1", "scale")
        self.refused_setting("block_q=0", "0")
        self.refused_setting("block_q=-64", "-64")
        self.refused_setting("min_keep=-1", "-1")

    def test_values_that_are_not_finite(self):
        for value in ["nan", "inf", "-inf", "1e999"]:
            for name in ["keep", "scale", "eps"]:
                with self.subTest(name=name, value=value):
                    self.refused_setting(f"{name}={value}", name)

    def test_values_of_another_kind(self):
        self.refused_setting("keep=half", "keep", "half")
        self.refused_setting("block_q=6.5", "block_q", "6.5")
        self.refused_setting("diagonal=maybe", "diagonal", "maybe")
        self.refused_setting("feature_map=cosine", "cosine")

    def test_keep_and_drop_share_a_row(self):
        outcome = self.tercet("run", "sla", "--shape", "n=200,d=8", "--set", "keep=0.6", "--set", "drop=0.6")
        self.assertEqual((outcome.code, outcome.out), (1, ""), outcome)
        self.assertRegex(outcome.err, "0?.6")

    def test_settings_that_are_none(self):
        self.refused("run", "sla", "--shape", "n=8,d=8", "--set", "keep", says="--set is 'keep'; it must be NAME=VALUE")
        self.refused("run", "sla", "--shape", "n=8,d=8", "--set", "=1", says="it must be NAME=VALUE")
        self.refused("run", "sla", "--shape", "n=8,d=8", "--set", "keep=", says="it must be NAME=VALUE")
        self.refused("run", "sla", "--shape", "n=8,d=8", "--set", "keep=.1", "--set", "keep=.2", says="'keep' twice")


class Targets(Case):
    def test_targets_that_do_not_exist(self):
        self.refused("run", "dense", "--shape", "n=8,d=8", "--target", "cpuu", code=3, says="did you mean 'cpu'?")
        self.refused("run", "dense", "--shape", "n=8,d=8", "--target", "cpu:v5", code=3, says="there is no target 'cpu:v5'")
        self.refused("compile", "dense", "--head-dim", "64", "--target", "sm_", "-o", self.path("x"), code=3,
                     says="there is no target 'sm_'")

    def test_targets_that_do_not_run_here(self):
        self.write("libcuda.so.1", "no library")  # what the loader finds first, so that a GPU of this machine is not seen
        for target, says in [("cuda", "there is no GPU to run on: the NVIDIA driver's libcuda.so.1 cannot be loaded"),
                             ("cuda:1", "there is no GPU to run on"), ("sm_90a", "'sm_90a' is an architecture")]:
            for command in ["run", "check", "bench", "explain"]:
                with self.subTest(target=target, command=command):
                    self.refused(command, "dense", "--shape", "n=8,d=8", "--target", target, code=3, says=says,
                                 LD_LIBRARY_PATH=str(self.folder))

    def test_numbers_and_words(self):
        self.refused("run", "dense", "--shape", "n=8,d=8", "--seed", "-1", says="--seed is '-1'")
        self.refused("run", "dense", "--shape", "n=8,d=8", "--seed", "1.5", says="--seed is '1.5'")
        self.refused("run", "dense", "--shape", "n=8,d=8", "--dtype", "f23", says="--dtype is 'f23'; legal are f32, f16, bf16")
        self.refused("bench", "dense", "--shape", "n=8,d=8", "--repetitions", "0", says="whole numbers from 3")
        self.refused("compile", "dense", "--head-dim", "64", "--emit", "tkrn", says="did you mean 'tkern'?")
        self.refused("cache", "empty", says="legal are path, list, verify, prune, clear")
        self.refused("cache", says="legal are path, list, verify, prune, clear")


if __name__ == "__main__":
    unittest.main()

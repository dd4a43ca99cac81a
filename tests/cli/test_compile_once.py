"""One compile serves every batch, head count, length and runtime setting; static settings are another kernel."""
import concurrent.futures
import unittest

from support import Case


class CompileOnce(Case):
    def test_200_shapes_and_50_settings_after_one_compile(self):
        for spec in ["dense", "sla"]:
            with self.subTest(spec=spec):
                report = self.passes("run", spec, "--shape", "b=1,h=2,n=200,d=32", "--sweep-shapes", 200,
                                     "--sweep-settings", 50, "--json").json()
                self.assertEqual((report["launches"], report["compiles"], report["cache"]), (251, 1, "miss"))
                shapes = {tuple(case["shape"].values()) for case in report["cases"]}
                self.assertGreater(len(shapes), 190)
                settings = {tuple(case["parameters"].values()) for case in report["cases"]}
                self.assertEqual(len(settings), 51)

    def test_16_processes_on_a_cold_cache_compile_once(self):
        words = ["run", "dense", "--shape", "n=10,d=8", "--json"]
        with concurrent.futures.ThreadPoolExecutor(16) as threads:
            reports = [outcome.json() for outcome in threads.map(lambda _: self.passes(*words), range(16))]
        self.assertEqual(sum(report["compiles"] for report in reports), 1)
        self.assertEqual(sorted(report["cache"] for report in reports), ["hit"] * 15 + ["miss"])

    def test_another_process_and_another_runtime_setting_compile_nothing(self):
        words = ["run", "sla", "--shape", "b=1,h=1,n=100,d=16", "--json"]
        self.assertEqual(self.passes(*words).json()["compiles"], 1)
        for setting in ["keep=0.5", "drop=0", "scale=0.3", "min_keep=2", "sink=1", "eps=0.01"]:
            report = self.passes(*words, "--set", setting).json()
            self.assertEqual((report["compiles"], report["cache"]), (0, "hit"), setting)
            name, value = setting.split("=")
            self.assertEqual(report["parameters"], {name: float(value)})

    def test_a_static_setting_compiles(self):
        words = ["run", "sla", "--shape", "b=1,h=1,n=100,d=16", "--json"]
        self.passes(*words)
        self.assertEqual(self.passes(*words, "--set", "block_q=32").json()["compiles"], 1)
        self.assertEqual(self.passes(*words, "--set", "feature_map=elu").json()["compiles"], 1)

    def test_without_the_cache_every_process_compiles(self):
        words = ["run", "dense", "--shape", "n=10,d=8", "--no-cache", "--json"]
        for _ in range(2):
            report = self.passes(*words).json()
            self.assertEqual((report["compiles"], report["cache"]), (1, "off"))
        self.assertEqual(self.passes("cache", "list", "--json").json()["entries"], [])


class Cache(Case):
    def test_list_verify_clear(self):
        self.passes("run", "dense", "--shape", "n=10,d=8")
        entries = self.passes("cache", "list", "--json").json()["entries"]
        self.assertEqual(len(entries), 1)
        self.assertIn("dense f32 d=8 dv=8 cpu:", self.passes("cache", "list").out)
        self.assertTrue(self.passes("cache", "verify", "--json").json()["passed"])
        self.assertEqual(self.passes("cache", "prune", "--json").json()["removed"], 0)
        with open(entries[0]["path"], "r+b") as file:
            file.truncate(100)
        outcome = self.tercet("cache", "verify", "--json")
        self.assertEqual((outcome.code, outcome.json()["passed"]), (1, False), outcome)
        report = self.passes("run", "dense", "--shape", "n=10,d=8", "--json").json()
        self.assertEqual(report["cache"], "miss")
        self.assertEqual(self.passes("cache", "clear", "--json").json()["removed"], 1)
        self.assertEqual(self.passes("cache", "list", "--json").json()["entries"], [])

    def test_a_cache_that_cannot_be_written_costs_nothing_else(self):
        report = self.passes("run", "dense", "--shape", "n=10,d=8", "--json", TERCET_CACHE_DIR="/proc/none").json()
        self.assertEqual(report["compiles"], 1)

    def test_a_home_that_is_missing_or_unusable_is_one_warning(self):
        homes = {"": "no directory is known; set TERCET_CACHE_DIR, XDG_CACHE_HOME or HOME", "relative": "no directory is known",
                 "/proc": "/proc", self.write("file", "x"): "file"}
        for home, says in homes.items():
            with self.subTest(home):
                outcome = self.passes("run", "dense", "--shape", "n=10,d=8", "--json", TERCET_CACHE_DIR="", XDG_CACHE_HOME="", HOME=home)
                self.assertEqual(outcome.json()["compiles"], 1)
                self.assertIn(says, outcome.err)
                self.assertEqual(outcome.err.count("warning"), 1, outcome)
                self.assertEqual(outcome.err.count("\n"), 1, outcome)


if __name__ == "__main__":
    unittest.main()

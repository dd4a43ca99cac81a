"""Commands, options and the small commands: what exists, what is refused, what --json promises."""
import json
import unittest

from support import Case

COMMANDS = ["run", "compile", "check", "bench", "explain", "fit", "tune", "specs", "devices", "config", "cache", "db"]


class Commands(Case):
    def test_every_command_has_help(self):
        general = self.passes("--help").out
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", general)
            self.assertIn("--json", self.passes(command, "--help").out)

    def test_version(self):
        self.assertRegex(self.passes("--version").out, r"^tercet \d+\.\d+\.\d+\n$")

    def test_no_command_shows_the_commands(self):
        outcome = self.tercet()
        self.assertEqual((outcome.code, outcome.out), (1, ""))
        self.assertIn("explain", outcome.err)

    def test_unknown_command_gets_a_suggestion(self):
        for slip in ["chek", "chekc"]:
            self.refused(slip, "sla", says=[f"there is no command '{slip}'", "did you mean 'check'?"])

    def test_unknown_option_gets_a_suggestion(self):
        self.refused("run", "sla", "--shap", "n=8,d=8", says=["no option '--shap'", "did you mean '--shape'?"])
        self.refused("run", "sla", "--keep=0.5", says=["'tercet run' has no option '--keep'"])

    def test_one_word_too_many(self):
        self.refused("specs", "sla", "dense", says="'dense' is one word too many for 'tercet specs'")

    def test_an_option_without_its_value(self):
        self.refused("run", "sla", "--shape", says="--shape")

    def test_unknown_spec_gets_a_suggestion(self):
        self.refused("run", "slaa", "--shape", "n=8,d=8", says=["'slaa' is neither a file nor", "did you mean 'sla'?"])
        self.refused("run", says="SPEC is missing")

    def test_unknown_environment_variable_warns(self):
        for settings in [{}, {"TERCET_LOG": "warn"}]:
            outcome = self.passes("config", "--json", TERCET_THREAD="3", **settings)
            self.assertEqual(outcome.err, "tercet: warning: TERCET_THREAD is not a variable of Tercet; "
                                          "did you mean 'TERCET_THREADS'?\n")
            self.assertEqual(len(outcome.json()["warnings"]), 1)

    def test_bad_value_of_an_environment_variable_warns(self):
        self.assertEqual(self.passes("specs", TERCET_LOG="loud").err,
                         "tercet: warning: TERCET_LOG=loud is ignored: it must be warn, info or debug\n")


class Lists(Case):
    def test_specs_lists_the_library(self):
        names = [spec["name"] for spec in self.passes("specs", "--json").json()["specs"]]
        for name in ["dense", "sparse_topk", "sla", "sla_non_critical", "sla_all", "block_mean"]:
            self.assertIn(name, names)
            self.assertIn(name, self.passes("specs").out)

    def test_specs_tells_static_from_runtime(self):
        spec = self.passes("specs", "sla", "--json").json()
        binds = {parameter["name"]: (parameter["binds"], parameter["default"]) for parameter in spec["parameters"]}
        self.assertEqual(binds["keep"], ("launch", "0.05"))
        self.assertEqual(binds["block_q"], ("compile", "64"))
        self.assertEqual(spec["inputs"], ["q", "k", "v", "w", "b"])
        self.assertEqual(spec["outputs"], ["o", "lse", "classes"])
        self.assertIn("tercet.spec @sla", spec["text"])

    def test_a_printed_spec_is_a_spec(self):
        text = self.passes("specs", "sla").out
        again = self.passes("specs", self.write("again.mlir", text), "--json").json()
        self.assertEqual(again["name"], "sla")
        piped = self.passes("specs", "-", "--json", stdin=text).json()
        self.assertEqual(piped["parameters"], again["parameters"])

    def test_devices(self):
        object = self.passes("devices", "--json").json()
        targets = [target for device in object["devices"] for target in device["targets"]]
        self.assertIn("cpu", targets)
        self.assertIn("cpu:portable", targets)
        self.assertIn("reference", targets)
        self.assertIn("sim:sm_80", targets)

    def test_devices_say_why_there_is_no_gpu(self):
        self.write("libcuda.so.1", "no library")  # what the loader finds first
        object = self.passes("devices", "--json", LD_LIBRARY_PATH=str(self.folder)).json()
        self.assertFalse(object["cuda_driver"])
        self.assertIn("there is no GPU to run on", object["cuda_reason"])
        self.assertNotIn("cuda:0", [device["device"] for device in object["devices"]])

    def test_config_names_the_cache(self):
        object = self.passes("config", "--json").json()
        self.assertEqual(object["cache_dir"], self.path("cache"))
        self.assertEqual(object["threads"], 2)

    def test_config_says_whether_nvrtc_is_here(self):
        missing = self.passes("config", "--json", TERCET_NVRTC=self.path("none.so")).json()
        self.assertEqual((missing["nvrtc"], missing["nvrtc_version"]), (None, None))
        self.assertIn("(not found)", self.passes("config", TERCET_NVRTC=self.path("none.so")).out)

    def test_text_and_json_are_apart(self):
        for words in [["specs"], ["specs", "dense"], ["devices"], ["config"], ["cache", "path"]]:
            text, outcome = self.passes(*words).out, self.passes(*words, "--json")
            self.assertNotEqual(text[0], "{", words)
            self.assertIsInstance(json.loads(outcome.out), dict)
            self.assertEqual(outcome.err, "")

    def test_a_full_standard_output_is_an_error(self):
        import subprocess
        from support import TERCET
        with open("/dev/full", "w") as full:
            process = subprocess.run([TERCET, "specs"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("cannot write to standard output", process.stderr)


if __name__ == "__main__":
    unittest.main()

"""Calls that TERCET_DUMP_DIR records, run again with `tercet run --replay`."""
import json
import os
import unittest

from support import Case

SHAPE = ["--shape", "b=1,h=2,n=130,d=16"]


class Replay(Case):
    def recorded(self, *words, records=1, **environment):
        """The folders that a run leaves, of these specs' calls in order."""
        before = set(self.folder.glob("dump/*"))
        self.passes("run", *words, *SHAPE, TERCET_DUMP_DIR=self.path("dump"), **environment)
        made = sorted(set(self.folder.glob("dump/*")) - before, key=lambda path: int(path.name.split("-")[-1]))
        self.assertEqual(len(made), records)
        return made if records > 1 else made[0]

    def test_a_call_runs_again_bit_for_bit(self):
        for words in (["sla", "--set", "keep=0.4"], ["dense", "--dtype", "bf16"]):
            folder = self.recorded(*words)
            self.assertEqual(sorted(path.name for path in folder.iterdir()),
                             ["call.json", "inputs.safetensors", "kernel.tercet", "outputs.safetensors"])
            result = self.passes("run", "--replay", folder, "--json").json()
            self.assertTrue(result["passed"])
            self.assertEqual(result["outputs"]["o"], {"equal": True, "largest_difference": 0})
            self.assertEqual(result["spec"], words[0])
        call = json.loads((self.recorded("sla", "--set", "keep=0.4") / "call.json").read_text())
        self.assertEqual(call["parameters"]["keep"], 0.4)
        self.assertEqual(call["tensors"]["q"]["shape"], [1, 2, 130, 16])

    def test_both_directions_are_recorded(self):
        for folder in self.recorded("dense", "--grad", records=2):
            self.assertIn("dense", self.passes("run", "--replay", folder).out)

    def test_other_outputs_are_told(self):
        folder = self.recorded("dense")
        outputs = folder / "outputs.safetensors"
        data = bytearray(outputs.read_bytes())
        data[-1] ^= 1  # an exponent of the last element of the last output
        outputs.write_bytes(data)
        outcome = self.tercet("run", "--replay", folder, "--json")
        self.assertEqual(outcome.code, 1, outcome)
        self.assertFalse(outcome.json()["passed"])

    def test_only_the_first_launch_of_a_kernel_is_recorded(self):
        self.recorded("dense", "--shape", "b=1,h=1,n=20,d=16")

    def test_what_cannot_be_replayed(self):
        self.refused("run", "--replay", self.path("none"), says="none/call.json")
        folder = self.recorded("dense")
        self.refused("run", "dense", "--replay", folder, says="do not go with it")
        self.refused("run", "--replay", folder, "--target", "tpu", says="tpu", code=3)
        (folder / "call.json").write_text("[]")
        self.refused("run", "--replay", folder, says="is no recorded call")
        os.remove(folder / "kernel.tercet")
        (folder / "call.json").write_text('{"tensors": {}, "parameters": {}}')
        self.refused("run", "--replay", folder, says="kernel.tercet")

    def test_a_directory_that_cannot_be_written_changes_nothing(self):
        outcome = self.passes("run", "dense", *SHAPE, TERCET_DUMP_DIR="/proc/none")
        self.assertIn("the call is not recorded in /proc/none", outcome.err)


if __name__ == "__main__":
    unittest.main()

"""Split tuning: packs prepared by the compiler, measured by a program without one."""
import json
import os
import pathlib
import subprocess
import unittest

from support import TERCET, Case

RUN = pathlib.Path(TERCET).parent / "tercet-run"
CALL = ["sparse_topk", "--set", "keep=0.25", "--shape", "b=1,h=2,n=256,d=64"]


class Packs(Case):
    def measure(self, *words, code=0):
        self.write("libcuda.so.1", "no library")  # what the loader finds first, so that a GPU of this machine is not seen
        process = subprocess.run([RUN, "--measure", *map(str, words)], capture_output=True, text=True, timeout=300,
                                 env={**os.environ, "TERCET_THREADS": "2", "LD_LIBRARY_PATH": str(self.folder)})
        self.assertEqual(process.returncode, code, process.stdout[-2000:] + process.stderr[-2000:])
        return process

    def prepare(self, *words):
        return self.passes("tune", *CALL, *words, "--prepare", self.path("a.pack"), "--json").json()

    def test_a_pack_for_a_gpu_is_simulated_without_times(self):
        report = self.prepare("--target", "sm_80", "--most", 3)
        self.assertEqual((report["target"], report["dtype"], report["left_out_by_most"] > 0), ("sm_80", "bf16", True))
        kernel = report["kernels"][0]
        self.assertEqual((kernel["kernel"], kernel["candidates"]), ("attend", 3))
        self.assertAlmostEqual(report["kept"], 0.25)
        rows = self.path("rows.jsonl")
        result = json.loads(self.measure(self.path("a.pack"), "--target", "sim:sm_80", "--db", rows, "--json").stdout)
        self.assertEqual((result["passed"], result["times"]), (True, False))
        for candidate in result["kernels"][0]["candidates"]:
            self.assertTrue(candidate["passed"], candidate)
            self.assertGreater(candidate["counts"]["instructions"], 0)
            self.assertFalse([name for name in candidate if name.endswith("ms")])
        self.assertFalse(pathlib.Path(rows).exists())
        self.assertNotIn("record", result)
        same = self.passes("tune", "--measure", self.path("a.pack"), "--target", "sim:sm_80", "--json").json()
        self.assertEqual(same["kernels"], result["kernels"])

    def test_a_pack_for_a_cpu_is_measured_and_merged_back(self):
        self.prepare("--target", "cpu:portable", "--most", 3)
        self.assertIn("no code that 'sim:sm_80'", self.measure(self.path("a.pack"), "--target", "sim:sm_80", code=3).stderr)
        rows = self.path("rows.jsonl")
        result = json.loads(self.measure(self.path("a.pack"), "--target", "cpu", "--budget", 1, "--db", rows, "--json").stdout)
        self.assertTrue(result["times"])
        if result["doubt"]:  # the machine is too busy to tell
            self.assertIsNone(result["database"])
            self.assertFalse(pathlib.Path(rows).exists())
            return
        self.assertEqual(result["database"], rows)
        self.passes("db", "merge", rows, "--db", self.path("here.jsonl"))
        listed = self.passes("db", "list", "--db", self.path("here.jsonl"), "--json").json()["rows"]
        row = next(row for row in listed if row["origin"] == "user")
        self.assertEqual((row["spec_name"], row["target"], row["queries"]), ("sparse_topk", "cpu:portable", 256))

    def test_what_is_no_pack_is_refused(self):
        self.prepare("--target", "cpu:portable", "--most", 2)
        content = pathlib.Path(self.path("a.pack")).read_bytes()
        for name, damaged in [("cut", content[:-100]), ("changed", content[:500] + b"?" + content[501:]), ("empty", b"")]:
            outcome = self.measure(self.write(name + ".pack", damaged), "--target", "cpu", code=1)
            self.assertIn("not a usable pack", outcome.stderr)
        self.measure(self.path("none.pack"), "--target", "cpu", code=1)

    def test_refusals(self):
        pack = ["--prepare", self.path("a.pack")]
        self.refused("tune", *CALL, *pack, "--measure", "b.pack", says="exclude each other")
        self.refused("tune", *CALL, *pack, "--target", "sim:sm_80", code=3, says="--prepare is for an architecture")
        self.refused("tune", *CALL, *pack, "--target", "cuda", code=3, says="--prepare is for an architecture")
        self.refused("tune", "dense", *pack, "--target", "sm_80", says="--shape is missing")
        self.refused("tune", *CALL, *pack, says="--target is missing")
        self.refused("tune", *CALL, "--most", 3, says="go with --prepare")
        self.refused("tune", *CALL, *pack, "--target", "sm_80", "--report", "a.html", says="--report shows a search")
        self.refused("tune", *CALL, "--target", "sm_80", "--prepare", self.path("no/a.pack"), says="there is no directory")
        self.refused("tune", *CALL, "--measure", self.path("a.pack"), says="--measure brings program and call")


if __name__ == "__main__":
    unittest.main()

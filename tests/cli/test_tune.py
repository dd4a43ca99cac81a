"""tercet tune: budgets of seconds on small shapes. What is asserted does not depend on which schedule is the fastest."""
import json
import pathlib
import re
import signal
import subprocess
import time
import unittest

from support import TERCET, Case

SHAPE = ["--shape", "b=1,h=2,n=300,d=32"]
OUTCOMES = {"untried", "failed", "wrong", "dropped", "raced", "verified"}


class Tune(Case):
    def tune(self, *words, spec="sla", budget="3s"):
        return self.passes("tune", spec, *SHAPE, "--target", "cpu", "--budget", budget, "--db", self.path("rows.jsonl"),
                           "--json", *words).json()

    def rows(self):
        file = pathlib.Path(self.path("rows.jsonl"))
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def test_a_search_tells_all_and_stores_one_row(self):
        report = self.tune("--report", self.path("tune.html"))
        (tuned,) = report["tuned"]
        self.assertEqual(tuned["kernel"], "cpu")
        self.assertEqual(tuned["direction"], "inference")
        self.assertEqual(len(tuned["candidates"]), tuned["space"])
        self.assertGreater(tuned["space"], 10)
        self.assertGreater(tuned["tried"], 0)
        self.assertLessEqual({each["outcome"] for each in tuned["candidates"]}, OUTCOMES)
        self.assertEqual(tuned["default"]["outcome"], "verified")
        self.assertEqual(tuned["best"]["outcome"], "verified")
        for each in tuned["candidates"]:
            self.assertEqual("cost_ms" in each, each.get("samples", 0) > 0)
            if "cost_ms" in each:
                low, median, high = each["ms_quartiles"]
                self.assertLessEqual(low, median)
                self.assertLessEqual(median, high)
        gain = tuned["gain"]
        self.assertLessEqual(gain["low"], gain["median"])
        self.assertLessEqual(gain["median"], gain["high"])
        self.assertEqual(tuned["beats_default"], gain["low"] > 1)
        self.page(tuned)
        rows = self.rows()
        self.assertEqual(len(rows), "was stored in" in tuned["stored"], tuned["stored"])
        if not rows:  # the machine was too busy to tell
            return
        (row,) = rows
        self.assertEqual(row["spec_name"], "sla")
        self.assertEqual(row["direction"], "inference")
        self.assertEqual((row["queries"], row["keys"], row["batch_heads"]), (300, 300, 2))
        self.assertGreater(row["ms"]["median"], 0)
        expected = {"cpu": tuned["best"]["schedule"]} if tuned["beats_default"] else {}
        self.assertEqual(row["schedules"], expected)
        explained = self.passes("explain", "sla", *SHAPE, "--target", "cpu", "--json", TERCET_DB=self.path("rows.jsonl")).json()
        self.assertEqual(explained["schedule_source"], "database")
        self.assertEqual(explained["schedule_row"]["date"], row["date"])
        self.assertEqual(set(explained["schedule"].values()), {tuned["best" if expected else "default"]["schedule"]})

    def page(self, tuned):
        html = pathlib.Path(self.path("tune.html")).read_text()
        self.assertTrue(html.startswith("<!doctype html>"))
        self.assertNotIn("<script", html)
        self.assertIsNone(re.search(r'(src|href)="', html))
        for picture in ["spread of the candidates", "roofline"]:
            self.assertIn(picture, html)
        self.assertIn(tuned["best"]["schedule"], html)

    def test_gradients_are_two_searches(self):
        report = self.tune("--grad", spec="dense", budget="4s")
        self.assertEqual([tuned["direction"] for tuned in report["tuned"]], ["forward", "backward"])
        stored = [tuned["direction"] for tuned in report["tuned"] if "was stored in" in tuned["stored"]]
        self.assertEqual([row["direction"] for row in self.rows()], stored)

    def test_the_text_has_a_table(self):
        out = self.passes("tune", "dense", *SHAPE, "--target", "cpu", "--budget", "1s", "--db", self.path("rows.jsonl")).out
        self.assertIn("(default)", out)
        self.assertRegex(out, "was stored in|nothing was stored")

    def test_an_interrupt_keeps_what_was_found(self):
        process = subprocess.Popen([TERCET, "tune", "sla", *SHAPE, "--target", "cpu", "--budget", "100s", "--json",
                                    "--db", self.path("rows.jsonl")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
        if process.returncode == -signal.SIGINT:
            self.skipTest("the machine took more than 3 s to begin")
        self.assertEqual(process.returncode, 0, err)
        (tuned,) = json.loads(out)["tuned"]
        self.assertTrue(tuned["interrupted"])
        self.assertLess(tuned["seconds"], 100)


class Refused(Case):
    def test_what_cannot_be_tuned(self):
        self.refused("tune", "sla", *SHAPE, "--target", "sm_90a", code=3, says="no device here")
        self.refused("tune", "sla", *SHAPE, "--target", "sim:sm_80", code=3, says="nothing about schedules")
        self.refused("tune", "sla", *SHAPE, "--target", "reference", code=3, says="nothing about schedules")

    def test_bad_options(self):
        self.refused("tune", "sla", says="--shape is missing")
        for budget in ["0s", "soon", "3 parsecs", "-5", "100000s"]:
            self.refused("tune", "sla", *SHAPE, "--budget", budget, says="1 s to 24 h")


if __name__ == "__main__":
    unittest.main()

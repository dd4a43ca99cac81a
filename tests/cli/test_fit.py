"""fit on the user's own tensors: what it promises of every head holds for the files that it writes, and says so where nothing does."""
import math
import pathlib
import unittest

from support import Case, npy, read_floats, read_npy, values

SHAPE = (1, 3, 320, 16)
BLOCKS = ["--set", "block_q=16", "--set", "block_k=16"]


def along_a_line(sharpness):
    """q = k: tokens see their neighbours, in each head the more closely the sharper it is."""
    _, heads, tokens, features = SHAPE
    noise, result = values(SHAPE, 5), []
    for head in range(heads):
        for token in range(tokens):
            for feature in range(features):
                angle = token / 16 * math.exp(-(feature // 2) / 3)
                wave = math.cos(angle) if feature % 2 else math.sin(angle)
                result.append(sharpness[head] * wave + 0.1 * noise[len(result)])
    return result


class Fit(Case):
    def setUp(self):
        super().setUp()
        tokens = self.write("tokens.npy", npy(SHAPE, along_a_line([1.0, 2.0, 3.0])))
        self.tensors = [f"--in=q={tokens}", f"--in=k={tokens}", f"--in=v={self.write('v.npy', npy(SHAPE, values(SHAPE, 2)))}"]

    def head_errors(self, o, right):
        size = len(o) // SHAPE[1]
        errors = []
        for head in range(SHAPE[1]):
            pairs = list(zip(o[head * size:(head + 1) * size], right[head * size:(head + 1) * size]))
            errors.append(math.sqrt(sum((a - b) ** 2 for a, b in pairs) / sum(b * b for _, b in pairs)))
        return errors

    def run_spec(self, spec, *words):
        self.passes("run", spec, *self.tensors, *words, "--out", f"o={self.path('o.npy')}")
        return read_floats(self.path("o.npy"))

    def holds(self, report, exact, bound):
        """The spec file that was written reproduces the errors of the report."""
        best = next(each for each in report["contenders"] if each["spec"] == report["best"])
        table = best["parameter"] + "_per_head"
        o = self.run_spec(report["outputs"]["spec"], f"--in={table}={report['outputs'][table]}")
        errors = self.head_errors(o, self.run_spec(exact))
        for error, head in zip(errors, best["heads"]):
            self.assertLessEqual(error, bound * 1.0001)
            self.assertAlmostEqual(error, head["error"], delta=1e-4 * bound + 1e-6)
        return best

    def test_the_files_reproduce_the_error_of_every_head(self):
        report = self.passes("fit", *self.tensors, *BLOCKS, "--max-error=0.1", "--json", "--spec-out", self.path("best.mlir"),
                             "-o", self.path("curve.png")).json()
        self.assertTrue(report["passed"])
        self.assertEqual([each["spec"] for each in report["contenders"]], ["sparse_topk", "block_mean", "spargeattn"])
        best = self.holds(report, "dense", 0.1)
        met = [each for each in report["contenders"] if each["reached"]]
        self.assertEqual(best["ms"], min(each["ms"] for each in met))
        for each in met:
            self.assertLessEqual(each["error"], each["worst_error"])
            self.assertLessEqual(each["worst_error"], 0.1)
            self.assertEqual(len(each["curve"]), 9)
        self.assertEqual(pathlib.Path(self.path("curve.png")).read_bytes()[:8], b"\x89PNG\r\n\x1a\n")

    def test_heads_get_values_of_their_own_and_none_is_larger_than_it_must_be(self):
        report = self.passes("fit", *self.tensors, *BLOCKS, "--spec=sparse_topk", "--max-error=0.1", "--json", "--spec-out",
                             self.path("best.mlir")).json()
        best = self.holds(report, "dense", 0.1)
        kept = [head["value"] for head in best["heads"]]
        self.assertGreater(kept[0], kept[2])  # flat heads need more
        self.assertEqual(best["value_for_all_heads"], max(kept))
        self.assertEqual(read_npy(report["outputs"]["keep_per_head"])[:2], ("<f4", (3,)))
        for head, value in enumerate(kept):  # 20 key blocks; one less misses the bound
            self.assertAlmostEqual(value * 20, round(value * 20), places=6)
            self.assertAlmostEqual(best["heads"][head]["kept"], value, places=6)
            less = [other - (0.05 if other is value else 0) for other in kept]
            table = self.write("less.npy", npy((3,), less))
            o = self.run_spec(report["outputs"]["spec"], f"--in=keep_per_head={table}")
            self.assertGreater(self.head_errors(o, self.run_spec("dense"))[head], 0.1)

    def test_windows_per_head_against_causal(self):
        report = self.passes("fit", *self.tensors, "--against=causal", "--spec=streaming", "--max-error=0.2", "--json",
                             "--spec-out", self.path("best.mlir")).json()
        best = self.holds(report, "causal", 0.2)
        self.assertEqual(best["parameter"], "window")
        self.assertIsNone(best["kept"])
        self.assertEqual(read_npy(report["outputs"]["window_per_head"])[0], "<i4")

    def test_where_nothing_meets_the_error_the_nearest_is_told(self):
        outcome = self.tercet("fit", *self.tensors, "--spec=streaming", "--max-error=0.001", "--json", "--spec-out",
                              self.path("best.mlir"))
        self.assertEqual(outcome.code, 1, outcome)
        report = outcome.json()
        self.assertEqual((report["passed"], report["best"], report["nearest"]), (False, None, "streaming"))
        self.assertGreater(report["contenders"][0]["worst_error"], 0.001)
        self.assertIsNone(report["contenders"][0]["ms"])
        self.assertIn("no candidate keeps every head's error within 0.001; the nearest is streaming", outcome.err)
        self.assertFalse(pathlib.Path(self.path("best.mlir")).exists())

    def test_weights_bring_sla_in(self):
        w = self.write("w.npy", npy((16, 16), [0.0] * 256))
        report = self.passes("fit", *self.tensors, f"--in=w={w}", *BLOCKS, "--set=drop=0", "--max-error=0.3", "--json").json()
        self.assertEqual(report["contenders"][-1]["spec"], "sla")
        topk, sla = report["contenders"][0], report["contenders"][-1]
        self.assertEqual([head["value"] for head in topk["heads"]], [head["value"] for head in sla["heads"]])

    def test_seeded_data_and_lengths(self):
        report = self.passes("fit", "--shape", "b=2,h=4,hkv=2,n=150,m=90,d=16,dv=8", "--dtype=f16", *BLOCKS, "--max-error=0.5",
                             "--json", "--seed=3").json()
        self.assertEqual((report["dtype"], report["seed"], len(report["contenders"][0]["heads"])), ("f16", 3, 4))
        lengths = self.write("k_len.npy", npy((1,), [100], "<i4", code="i"))
        self.passes("fit", *self.tensors, f"--in=k_len={lengths}", *BLOCKS, "--max-error=0.2", "--spec=sparse_topk")

    def test_the_table(self):
        text = self.passes("fit", *self.tensors, *BLOCKS, "--max-error=0.2").out
        self.assertIn("error of every head at most 0.2 against dense", text)
        self.assertRegex(text, r"best: \w+, \w+ per head\n  head   0: ")

    def test_refusals(self):
        self.refused("fit", says="no data: give --in q=FILE")
        self.refused("fit", *self.tensors[:2], says="input 'v' is missing")
        self.refused("fit", *self.tensors, "--shape=n=8,d=8", says="exclude each other")
        for bound in ["0", "-1", "x", "inf", "nan"]:
            self.refused("fit", *self.tensors, "--max-error", bound, says=f"--max-error is '{bound}'; legal are numbers above 0")
        self.refused("fit", *self.tensors, "--spec=dense", says="spec 'dense' has nothing to fit")
        self.refused("fit", *self.tensors, "--spec=sparse_top", says="did you mean 'sparse_topk'?")
        self.refused("fit", *self.tensors, "--set=kep=1", says="--set names 'kep', a parameter of none of the candidates")
        self.refused("fit", *self.tensors, f"--in=w={self.path('v.npy')}", "--spec=sparse_topk", says="--in names 'w'")
        self.refused("fit", *self.tensors, "--spec-out=best.txt", says="the file must end in .mlir")
        self.refused("fit", *self.tensors, "-o", self.path("no/curve.png"), says="there is no directory")
        for target in ["reference", "sim:sm_80"]:
            self.refused("fit", *self.tensors, "--target", target, code=3, says="gives no times to choose by")
        short = self.write("short.npy", npy((1, 3, 100, 16), values((1, 3, 100, 16))))
        self.refused("fit", *self.tensors[:2], f"--in=v={short}", says="v")


if __name__ == "__main__":
    unittest.main()

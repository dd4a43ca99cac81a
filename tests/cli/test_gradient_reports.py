"""bench --grad and explain --grad: forward and backward, and what lies between them."""
import unittest

from support import NO_GRADIENT, Case

SHAPE = ["--shape", "b=1,h=4,hkv=2,n=600,m=500,d=32,dv=24"]
B, H, N, M, DV = 1, 4, 600, 500, 24
BLOCKS = [B, H, 10, 8]


def flop_by_stage(plan):
    flop = {}
    for node in plan:
        flop[node["stage"]] = flop.get(node["stage"], 0) + node["flop"]
    return flop


class Explain(Case):
    def explained(self, spec, *words):
        return self.passes("explain", spec, "--grad", *SHAPE, "--json", *words).json()

    def test_saved_tensors_are_those_that_the_backward_takes(self):
        report = self.explained("sparse_topk", "--dtype", "bf16")
        saved = {tensor["name"]: tensor for tensor in report["saved"]}
        self.assertEqual({name: (tensor["taken_as"], tensor["dtype"], tensor["shape"]) for name, tensor in saved.items()},
                         {"classes_out": ("classes", "i8", BLOCKS), "o_wide": ("o", "f32", [B, H, N, DV]),
                          "lse": ("lse", "f32", [B, H, N]), "lse_rest": ("lse_rest", "f32", [B, H, N])})
        self.assertEqual(saved["o_wide"]["bytes"], 4 * B * H * N * DV)
        self.assertEqual(report["saved_bytes"], sum(tensor["bytes"] for tensor in report["saved"]))
        for tensor in report["saved"]:
            self.assertTrue(tensor["why"])

    def test_an_f32_output_is_not_saved_twice(self):
        report = self.explained("dense")
        self.assertEqual([(tensor["name"], tensor["is_output"]) for tensor in report["saved"]],
                         [("o", True), ("lse", False), ("lse_rest", False)])
        self.assertEqual(report["saved_bytes"], 2 * 4 * B * H * N)

    def test_what_is_made_again_has_the_bytes_of_saving_it(self):
        made = self.explained("dense")["recomputed"]
        self.assertEqual([(value["name"], value["bytes"]) for value in made],
                         [("S, P, dP and dS of sparse", 4 * B * H * N * M)])
        report = self.explained("sparse_topk", "--set", "keep=0.5")
        self.assertEqual({value["name"]: value["bytes"] for value in report["recomputed"]},
                         {"S, P, dP and dS of sparse": report["blocks"]["kept"] * 64 * 64 * 4,
                          "transposed lists": report["blocks"]["kept"] * 4})
        self.assertIn("its region's derivative", self.explained("softcap")["recomputed"][0]["name"])

    def test_linear_branches_save_no_state(self):
        report = self.explained("sla")
        self.assertIn("o_wide", [tensor["name"] for tensor in report["saved"]])
        made = {value["name"]: value["bytes"] for value in report["recomputed"]}
        self.assertEqual(list(made), ["S, P, dP and dS of sparse", "phi(Q) of linear", "phi(K) of linear", "H_i and Z_i of linear",
                                      "O_l of linear", "transposed lists"])
        self.assertEqual(made["H_i and Z_i of linear"], 4 * B * H * BLOCKS[2] * 32 * (DV + 1))
        self.assertEqual(made["phi(K) of linear"], 4 * B * 2 * M * 32)

    def test_several_branches_run_their_stages_again(self):
        made = {value["name"]: value["bytes"] for value in self.explained("nsa")["recomputed"]}
        pools = -(-M // 16)
        self.assertEqual(made["pools of k and v of compressed"], 4 * B * 2 * pools * (32 + DV))
        self.assertEqual(made["S, P, dP and dS of compressed"], 4 * B * H * N * pools)
        for branch in ("sparse", "sparse2", "compressed"):
            self.assertEqual(made[f"O and LSE of {branch}"], 4 * B * H * N * (DV + 1))
        self.assertNotIn("O and LSE of sparse", [value["name"] for value in self.explained("sla")["recomputed"]])

    def test_operations_are_those_of_a_run(self):
        for spec in ("sparse_topk", "sla"):
            self.check_operations(spec)

    def check_operations(self, spec):
        report = self.explained(spec)
        run = self.passes("run", spec, "--grad", *SHAPE, "--json").json()
        flop = flop_by_stage(report["plan"])
        for stage, value in flop_by_stage(report["backward"]["plan"]).items():
            flop[stage] = flop.get(stage, 0) + value
        self.assertEqual(flop, {stage["stage"]: stage["flop"] for stage in run["stages"]})
        self.assertEqual(sum(flop.values()), report["flop"] + report["backward"]["flop"])
        self.assertEqual(max(report["workspace_bytes"], report["backward"]["workspace_bytes"]), run["workspace_bytes"])
        self.assertLessEqual({"gradient_keys", "gradient_queries"}, report["backward"]["schedule"].keys())

    def test_the_text_says_so(self):
        text = self.passes("explain", "sparse_topk", "--grad", *SHAPE).out
        parts = ["\nforward: ", "attend", "saved for the backward: ", "lse_rest", "made again in the backward", "transposed lists",
                 "\nbackward: ", "gradient_keys"]
        places = [text.index(part) for part in parts]
        self.assertEqual(places, sorted(places))

    def test_without_grad_there_is_none_of_it(self):
        report = self.passes("explain", "dense", *SHAPE, "--json").json()
        for key in ["saved", "saved_bytes", "recomputed", "backward"]:
            self.assertNotIn(key, report)

    def test_a_simulated_gpu(self):
        report = self.passes("explain", "dense", "--grad", "--shape", "n=128,d=64", "--dtype", "bf16", "--target", "sim:sm_80", "--json").json()
        self.assertEqual([tensor["name"] for tensor in report["saved"]], ["o_wide", "lse", "lse_rest"])
        self.assertGreater(report["backward"]["flop"], 2 * report["flop"])


class Bench(Case):
    def test_forward_and_backward_beside_those_of_dense(self):
        report = self.passes("bench", "sparse_topk", "--grad", *SHAPE, "--repetitions", 3, "--json").json()
        self.assertEqual(report["repetitions"], 3)
        self.assertEqual([(stage["direction"], stage["stage"]) for stage in report["stages"]],
                         [("forward", "prologue"), ("forward", "select"), ("forward", "attend"),
                          ("backward", "select"), ("backward", "prologue"), ("backward", "gradient")])
        for part in (report, report["forward"], report["backward"]):
            for key in ["ms", "executed_tflops", "dense_ms", "speedup_vs_dense", "fraction_of_peak", "fraction_of_floor",
                        "workspace_bytes"]:
                self.assertGreater(part[key], 0, key)
            self.assertAlmostEqual(part["executed_tflops"], sum(stage["flop"] for stage in part["stages"]) / part["ms"] / 1e9)
        self.assertEqual(report["backward"]["schedule"].keys(), {"gradient_queries", "gradient_keys"})
        flop = {direction: sum(stage["flop"] for stage in report[direction]["stages"]) for direction in ("forward", "backward")}
        self.assertGreater(flop["backward"], 2 * flop["forward"])

    def test_dense_is_its_own_baseline(self):
        report = self.passes("bench", "dense", "--grad", "--shape", "n=200,d=16", "--repetitions", 3, "--json").json()
        for part in (report, report["forward"], report["backward"]):
            self.assertEqual((part["speedup_vs_dense"], part["dense_ms"]), (1, part["ms"]))

    def test_the_text_says_both(self):
        text = self.passes("bench", "dense", "--grad", "--shape", "n=200,d=16", "--repetitions", 3).out
        for word in ["dense, forward and backward, on cpu", "\nforward: ", "\nbackward: ", "  gradient "]:
            self.assertIn(word, text)

    def test_on_the_simulator_operations_of_lists_are_counted(self):
        report = self.passes("bench", "sparse_topk", "--grad", "--shape", "n=256,d=64", "--set", "keep=0.5", "--dtype", "bf16", "--target",
                             "sim:sm_80", "--json").json()
        flop = {stage["stage"]: stage["flop"] for stage in report["backward"]["stages"]}
        self.assertEqual(flop["gradient"], report["blocks"]["kept"] * 64 * 64 * 7 * 2 * 64)

    def test_what_has_no_backward_is_told(self):
        for command in ("bench", "explain"):
            self.refused(command, NO_GRADIENT, "--grad", "--shape", "n=64,d=8", says="no gradient is derived yet")
        outcome = self.passes("bench", "alibi", "--grad", "--shape", "n=64,d=8", "--repetitions", 3, "--target", "sim:sm_80")
        self.assertNotIn("makes no gradient", outcome.err)


if __name__ == "__main__":
    unittest.main()

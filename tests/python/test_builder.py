"""Specs from calls: their text, and that the compiler takes each op as the builder writes it."""
import os
import subprocess
import unittest

from support import Case, bound, plain, tokens  # skips without NumPy

import numpy

import tercet


def checked(spec, shape="b=1,h=2,n=200,d=32"):
    """Whether a target agrees with the oracle on the spec, by the command line."""
    result = subprocess.run([os.environ["TERCET"], "check", "-", "--shape", shape], input=str(spec), capture_output=True, text=True)
    return result.returncode == 0, result.stdout + result.stderr


class Builder(Case):
    def agrees(self, spec, shape="b=1,h=2,n=200,d=32"):
        passed, said = checked(spec, shape)
        self.assertTrue(passed, f"{spec}\n{said}")

    def test_the_text_of_sla(self):
        s = tercet.SpecBuilder("sla")
        classes = s.select(s.pooled_scores(blocks=(64, 64)), top_fraction=0.05, bottom_fraction=0.1)
        s.skip(classes.negligible)
        rest = s.project(s.linear(on=classes.marginal, feature_map="softmax"))
        spec = s.build(s.sum(s.sparse(on=classes.critical), rest))
        self.assertEqual(str(spec), """\
tercet.spec @sla(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %w: !tercet.weight, %b: !tercet.weight) {
  %block_q = tercet.param block_q = 64 : !tercet.static<i64>
  %block_k = tercet.param block_k = 64 : !tercet.static<i64>
  %keep = tercet.param keep = 0.05 : !tercet.runtime<f64>
  %drop = tercet.param drop = 0.1 : !tercet.runtime<f64>
  %feature_map = tercet.param feature_map = softmax : !tercet.static<keyword>
  %scores = tercet.pooled_scores %q, %k blocks(%block_q, %block_k)
  %classes = tercet.select %scores keep top_fraction(%keep) drop bottom_fraction(%drop)
  tercet.skip %classes[negligible]
  %rest = tercet.linear %q, %k, %v on %classes[marginal] feature_map(%feature_map)
  %projected = tercet.project %rest, %w, %b
  %exact = tercet.sparse %q, %k, %v on %classes[critical]
  %sum = tercet.combine sum(%exact, %projected)
  tercet.return %sum
}
""")
        self.agrees(spec)

    def test_it_is_the_built_in_spec(self):
        s = tercet.SpecBuilder("sla")
        classes = s.select(s.pooled_scores(), top_fraction=0.05, bottom_fraction=0.1)
        s.skip(classes.negligible)
        spec = s.build(s.sum(s.sparse(on=classes.critical), s.project(s.linear(on=classes.marginal))))
        q, k, v = tokens(queries=500)
        w = numpy.random.default_rng(1).standard_normal((32, 32)).astype(numpy.float32)
        numpy.testing.assert_array_equal(tercet.attention(q, k, v, spec, w=w, keep=0.3), tercet.attention(q, k, v, "sla", w=w, keep=0.3))

    def test_every_option_of_select(self):
        s = tercet.SpecBuilder("rules")
        past = s.mask(lambda b, h, i, j: i >= j)
        near = s.block_set(lambda b, h, i, j: abs(i - j) <= 1, blocks=(32, 32))
        far = s.block_set(lambda b, h, i, j: i - j > 4, blocks=(32, 32))
        scores = s.pooled_scores(blocks=(32, 32), center=True, guard=0.1)
        classes = s.select(scores, top_mass=0.5, bottom_count=1, count="ceil", min_keep=1, max_keep=3, sink=1, diagonal=True, forced_counts=True,
                           apart=True, mask=past, forced=near, forbidden=far)
        s.skip(classes.marginal | classes.negligible)
        self.agrees(s.build(s.sparse(on=classes.critical, mask=past)))

    def test_scopes_budgets_and_sampled_scores(self):
        s = tercet.SpecBuilder("sampled")
        share = s.table("share", ["head"])
        classes = s.select(s.sampled_scores(blocks=(32, 32), stride=8), top_fraction=0.5, scope="head", by_share=True, budgets=share)
        s.skip(classes.marginal)
        self.agrees(s.build(s.sparse(on=classes.critical)))

    def test_scores_by_pools(self):
        s = tercet.SpecBuilder("native")
        length, stride = s.static("length", 16), s.static("stride", 8)
        past = s.mask(lambda b, h, i, j: j <= i)
        scores = s.compressed_scores(blocks=(1, 16), pool=(length, stride), weights=s.table("weights", ["kv_head", "any"]), scale=0.2,
                                     where=lambda b, h, i, c: c * stride + length <= i + 1)
        classes = s.select(scores, top_count=2, scope="group", mask=past)
        s.skip(classes.marginal)
        self.agrees(s.build(s.sparse(on=classes.critical, mask=past)))

    def test_given_scores_and_block_means(self):
        s = tercet.SpecBuilder("given")
        table = s.table("routing", ["batch", "head", "query_block", "key_block"])
        classes = s.select(s.given_scores(table, blocks=(32, 32)), top_count=2)
        self.agrees(s.build(s.joint(s.sparse(on=classes.critical), s.block_mean(on=classes.marginal))))

    def test_patterns_a_token_order_and_functions_that_see_parameters(self):
        s = tercet.SpecBuilder("tiles")
        reach = s.runtime("reach", 1)
        s.token_order(grid=(4, 6, 6), tile=(2, 4, 4), text="suffix")
        classes = s.pattern(s.block_set(lambda b, h, i, j: abs(i - j) <= reach, blocks=(32, 32)))
        s.skip(classes.marginal)
        spec = s.build(s.sparse(on=classes.critical))
        self.assertIn("%reach_now = tercet.value %reach : !tercet.runtime<i64>", str(spec))
        self.agrees(spec)

    def test_compressed_gates_and_a_window(self):
        s = tercet.SpecBuilder("near_and_far")
        gates = s.table("gates", ["batch", "head", "query", 2])
        length = s.static("length", 16)
        near = s.sparse(mask=s.mask(lambda b, h, i, j: abs(i - j) < 40))
        far = s.compressed(pool=(length, 16), where=lambda b, h, i, c: (c + 1) * length <= i, score=lambda score, b, h, i, c: score * 0.5)
        one, two = (s.gate(branch, lambda b, h, i, e, at=at: 1 / (1 + numpy.exp(-gates[b, h, i, at]))) for at, branch in enumerate((near, far)))
        self.agrees(s.build(s.sum(one, two)))

    def test_weights_of_pools_and_a_branch_per_head(self):
        s = tercet.SpecBuilder("by_head")
        choice = s.table("choice", ["head"], "i32")
        of_keys, of_values = s.table("of_keys", ["kv_head", "any"]), s.table("of_values", ["kv_head", "any"])
        pools = s.compressed(pool=(8, 8), queries=8, weights=(of_keys, of_values))
        self.agrees(s.build(s.by_head(s.sparse(scale=s.runtime("scale", None)), pools, choice=choice)))

    def test_captured_arrays_come_with_the_spec(self):
        slopes = numpy.linspace(0, 0.3, 4)
        s = tercet.SpecBuilder("sloped")
        score = lambda score, b, h, i, j: score + slopes[h] * (j - i)
        spec = s.build(s.sparse(score=score))
        q, k, v = tokens()
        expected, _, scores = plain(q, k, v, score)
        self.assert_close(tercet.attention(q, k, v, spec), expected, bound(scores, v))

    def test_what_a_builder_refuses(self):
        s = tercet.SpecBuilder()
        with self.assertRaisesRegex(tercet.InvalidSpec, "select takes one of top_fraction"):
            s.select(s.pooled_scores(), top_fraction=0.1, top_count=3)
        with self.assertRaisesRegex(tercet.InvalidSpec, "given: best"):
            s.select(s.pooled_scores(), best=3)
        with self.assertRaisesRegex(tercet.InvalidSpec, "kind is a keyword"):
            kind = s.static("kind", "softmax")
            s.mask(lambda b, h, i, j: i > kind)
        with self.assertRaises(tercet.InvalidSpec):
            tercet.attention(*tokens(), s.build(s.sparse(scale=-1.0)))


if __name__ == "__main__":
    unittest.main()

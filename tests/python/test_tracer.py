"""The tracer: the text that functions become, the rules of types, and what is refused, by name and line."""
import math
import re
import unittest

from support import Case, number_of, plain, tokens  # skips without NumPy

import numpy

import tercet


def region(spec):
    """The lines of a spec's first region."""
    text = str(spec)
    return [line.strip() for line in re.search(r"\{\n  \^bb0.*?\n(.*?)\n  \}", text, re.S)[1].splitlines()]


def score_lines(function):
    return region(tercet.flex_spec(function)[0])


def mask_lines(function):
    return region(tercet.flex_spec(None, function)[0])


class Texts(Case):
    def test_a_causal_mask(self):
        self.assertEqual(mask_lines(lambda b, h, q_idx, kv_idx: q_idx >= kv_idx),
                         ["%ge = arith.cmpi sge, %i, %j : index", "tercet.yield %ge : i1"])

    def test_a_whole_spec(self):
        slopes = numpy.ones(4, numpy.float32)
        window = tercet.runtime(64)
        spec, _ = tercet.flex_spec(lambda score, b, h, q_idx, kv_idx: score + slopes[h] * (kv_idx - q_idx),
                                   lambda b, h, q_idx, kv_idx: q_idx - kv_idx < window)
        self.assertEqual(str(spec), """\
tercet.spec @flex(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens, %slopes: !tercet.table<[head], f32>) {
  %scale = tercet.param scale = auto : !tercet.runtime<f64>
  %window = tercet.param window = 64 : !tercet.runtime<i64>
  %mask = tercet.mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %window_now = tercet.value %window : !tercet.runtime<i64>
    %difference = arith.subi %i, %j : index
    %lt = arith.cmpi slt, %difference, %window_now : index
    tercet.yield %lt : i1
  }
  %exact = tercet.sparse %q, %k, %v scale(%scale) mask(%mask) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %slopes_here = tercet.read %slopes[%h] : !tercet.table<[head], f32>
    %difference = arith.subi %j, %i : index
    %narrow = arith.index_cast %difference : index to i32
    %real = arith.sitofp %narrow : i32 to f32
    %product = arith.mulf %slopes_here, %real : f32
    %sum = arith.addf %s, %product : f32
    tercet.yield %sum : f32
  }
  tercet.return %exact
}
""")

    def test_positions_divide_without_rounding_rules_for_negatives(self):
        self.assertEqual(mask_lines(lambda b, h, q_idx, kv_idx: q_idx // 8 == kv_idx % 8)[1:4:2],
                         ["%quotient = arith.divsi %i, %c8 : index", "%eq = arith.cmpi eq, %quotient, %rest : index"])

    def test_what_is_asked_twice_is_computed_once_and_what_nothing_uses_not_at_all(self):
        def score(score, b, h, q_idx, kv_idx):
            unused = numpy.exp(score)
            return score * (q_idx - kv_idx) + (q_idx - kv_idx)
        lines = score_lines(score)
        self.assertEqual(sum("arith.subi" in line for line in lines), 1)
        self.assertFalse([line for line in lines if "math.exp" in line])

    def test_axes_are_what_the_reads_go_by(self):
        bias, ids, buckets = numpy.zeros((2, 1, 9, 9)), numpy.zeros(9, int), numpy.zeros((5, 4))

        def score(score, b, h, q_idx, kv_idx):
            return score + bias[b, h, q_idx, kv_idx] + (ids[q_idx] == ids[kv_idx]) + buckets[q_idx // 2, h]
        sizes = {"batch": 2, "head": 4, "query": 9, "key": 9}
        text = str(tercet.flex_spec(score, sizes=sizes)[0])
        for table in ("%bias: !tercet.table<[batch, head, query, key], f32>", "%ids: !tercet.table<[query], i32>",
                      "%buckets: !tercet.table<[any, head], f32>"):
            self.assertIn(table, text)
        text = str(tercet.flex_spec(score, sizes={**sizes, "query": 5})[0])  # of tables for longer sequences the beginning counts
        self.assertIn("%bias: !tercet.table<[batch, head, any, key], f32>", text)
        self.assertIn("%ids: !tercet.table<[any], i32>", text)

    def test_one_array_is_one_argument_in_mask_and_score(self):
        ids = numpy.arange(9)
        text = str(tercet.flex_spec(lambda score, b, h, i, j: score + ids[i], lambda b, h, i, j: ids[i] == ids[j])[0])
        self.assertEqual(text.count(": !tercet.table<[query], i32>,") + text.count(": !tercet.table<[query], i32>)"), 1)

    def test_arrays_come_from_closures_defaults_objects_and_functions_that_are_called(self):
        slopes = numpy.ones(4, numpy.float32)

        class Mod:
            def __init__(self):
                self.slopes = slopes

            def __call__(self, score, b, h, q_idx, kv_idx):
                return score * self.slopes[h]

            def method(self, score, b, h, q_idx, kv_idx):
                return score * self.slopes[h]

        def helper(h):
            return slopes[h]
        for function in (lambda score, b, h, i, j: score * slopes[h], lambda score, b, h, i, j, held=slopes: score * held[h], Mod(), Mod().method,
                         lambda score, b, h, i, j: score * helper(h), lambda score, b, h, i, j: score * MODULE_SLOPES[h]):
            with self.subTest(function=function):
                self.assertIn("!tercet.table<[head], f32>", score_lines(function)[0])

    def test_arrays_and_numbers_that_are_not_read_are_no_arguments(self):
        table, unused = numpy.zeros((4, 9), numpy.float32), numpy.zeros(3)
        number, knot = tercet.runtime(3.0), []
        knot.append(knot)

        def score(score, b, h, q_idx, kv_idx):
            dead = unused[q_idx] * number, knot
            return score * table.shape[0] + MODULE_SLOPES.ndim
        spec = tercet.flex_spec(score)[0]
        self.assertEqual(spec.tensors, {})
        q, k, v = tokens()
        self.assert_close(tercet.attention(q, k, v, spec), plain(q, k, v, lambda s, *_: 4 * s)[0], 2e-5)

    def test_a_number_that_changes_leaves_the_compiled_text(self):
        def spec(window, size):
            bias = numpy.zeros(size, numpy.float32)
            limit = tercet.runtime(window)
            return tercet.flex_spec(lambda score, b, h, i, j: score + bias[i - j], lambda b, h, i, j: i - j < limit)[0]
        self.assertEqual(spec(3, 10).compiled_text, spec(4, 20).compiled_text)
        self.assertEqual(spec(4, 20).values, {"limit": 4, "bias_size_0": 20})
        self.assertNotEqual(str(spec(3, 10)), str(spec(4, 20)))


MODULE_SLOPES = numpy.ones(4, numpy.float32)

#: Functions of a position: what PyTorch and NumPy make of it, regions make of it.
EXPRESSIONS = {
    "floor division": lambda x: (x - 9) // 4, "floor division by a negative": lambda x: (x - 9) // -4, "remainder": lambda x: (x - 9) % 4,
    "remainder of a negative": lambda x: (x - 9) % -4, "true division": lambda x: x / 4, "float floor division": lambda x: (x - 9.5) // 4,
    "float remainder": lambda x: (x - 9.25) % 4, "square": lambda x: (x - 9) ** 2, "cube": lambda x: (x / 8.0) ** 3, "reciprocal": lambda x: (x + 1.0) ** -2,
    "root": lambda x: (x + 1.0) ** 0.5, "power of a number": lambda x: 0.9 ** (x / 4.0), "power of two": lambda x: 2 ** (x % 8), "reflected": lambda x: 3 - x,
    "reflected division": lambda x: 7 // (x + 1), "reflected remainder": lambda x: 70 % (x + 1), "shifts": lambda x: (x << 2) + (x >> 1),
    "bits": lambda x: (x & 5) + (x | 9) + (x ^ 3) + ~x, "comparisons add": lambda x: 1 * (x > 3) + 2 * (x <= 9) + 1.0 * (x != 4) + 1 * (x == 5),
    "negation": lambda x: -x + 0.5, "size": lambda x: abs(x - 9), "unary plus": lambda x: +x,
}
#: Of NumPy and PyTorch alike.
FUNCTIONS = {
    "where": lambda xp, x: xp.where(x > 4, x, -1), "where mixes types": lambda xp, x: xp.where(x > 4, x, 0.5),
    "tanh": lambda xp, x: xp.tanh(x / 9), "exp": lambda xp, x: xp.exp(-x / 9), "exp2": lambda xp, x: xp.exp2(-x / 9), "log": lambda xp, x: xp.log(x + 1),
    "log2": lambda xp, x: xp.log2(x + 1.0), "log10": lambda xp, x: xp.log10(x + 1.0), "log1p": lambda xp, x: xp.log1p(x / 3), "expm1": lambda xp, x: xp.expm1(x / 30),
    "sqrt": lambda xp, x: xp.sqrt(x + 0.25), "abs": lambda xp, x: xp.abs(x - 9.5), "absolute": lambda xp, x: xp.absolute(x - 9),
    "minimum": lambda xp, x: xp.minimum(x, 9 - x), "maximum": lambda xp, x: xp.maximum(x / 2, 9.0 - x), "clip": lambda xp, x: xp.clip(x - 9, -3, 12),
    "clip floats": lambda xp, x: xp.clip(x / 3, 1.5, 9.0), "floor": lambda xp, x: xp.floor(x / 3.0), "ceil": lambda xp, x: xp.ceil(x / 3.0),
    "square": lambda xp, x: xp.square(x - 3), "reciprocal": lambda xp, x: xp.reciprocal(x + 0.5), "sign": lambda xp, x: xp.sign(x - 9),
    "logical": lambda xp, x: 1.0 * xp.logical_or(xp.logical_and(x > 3, x < 9), xp.logical_not(x)) + xp.logical_xor(x > 5, x > 7) * 2.0,
    "remainder": lambda xp, x: xp.remainder(x - 9, 5), "fmod": lambda xp, x: xp.fmod(x - 9, 5), "floor_divide": lambda xp, x: xp.floor_divide(x - 9, 5),
    "isfinite": lambda xp, x: 1.0 * xp.isfinite(1.0 * x), "negative": lambda xp, x: xp.negative(x),
}


class Rules(Case):
    def check(self, function, expected):
        expected = numpy.asarray(expected, numpy.float64)
        self.assert_close(number_of(function), expected, 2.0 ** -20 * (1 + numpy.abs(expected).max()))

    def test_operators_have_the_values_of_numpy(self):
        for name, function in EXPRESSIONS.items():
            with self.subTest(name):
                self.check(function, function(numpy.arange(64)))

    def test_functions_have_the_values_of_numpy(self):
        for name, function in FUNCTIONS.items():
            with self.subTest(name):
                self.check(lambda x: function(numpy, x), function(numpy, numpy.arange(64)))

    def test_python_s_own_min_and_max(self):
        self.check(lambda x: max(x - 9, 3) + min(x, 20, 30 - x), [max(x - 9, 3) + min(x, 20, 30 - x) for x in range(64)])

    def test_methods(self):
        self.check(lambda x: (x - 9.0).clamp(min=-3).abs().sigmoid() + (x > 3).float() + (x / 2).to("int32"),
                   [1 / (1 + math.exp(-abs(max(x - 9, -3)))) + (x > 3) + x // 2 for x in range(64)])

    def test_sizes_of_the_call(self):
        ends = lambda b, h, q_idx, kv_idx: kv_idx + tercet.query_count <= q_idx + tercet.key_count
        q, k, v = tokens(queries=40, keys=100)
        self.assert_close(tercet.flex_attention(q, k, v, None, ends), plain(q, k, v, None, lambda b, h, i, j: j + 40 <= i + 100)[0], 2e-5)
        self.assertIn("%query_count = tercet.extent query", mask_lines(ends))
        self.assertIn("%key_count = tercet.extent key", mask_lines(lambda b, h, q_idx, kv_idx: tercet.key_count // 2 <= kv_idx))

    def test_runtime_numbers_that_an_object_holds(self):
        class Settings:
            window = tercet.runtime(5, "window")
        self.assertIn("%window_now = tercet.value %window : !tercet.runtime<i64>",
                      mask_lines(lambda b, h, q_idx, kv_idx: abs(q_idx - kv_idx) < Settings.window))

    def test_an_index_below_0_counts_from_the_end(self):
        table = numpy.arange(100, dtype=numpy.float32)
        self.check(lambda x: table[x - 9] + table[-1], [table[x - 9] + 99 for x in range(64)])

    def test_indices_one_by_one_and_by_ellipsis(self):
        table = numpy.arange(64 * 3, dtype=numpy.float32).reshape(1, 3, 64)
        self.check(lambda x: table[0][1][x] + table[..., x][0, 2] + table[:, 2, x][0], [table[0, 1, x] + 2 * table[0, 2, x] for x in range(64)])

    def test_truth_values_and_wide_integers_of_arrays(self):
        odd, ids = numpy.arange(64) % 2 == 1, numpy.arange(64) * 3
        self.check(lambda x: numpy.where(odd[x], ids[x], 0.5), numpy.where(odd, ids, 0.5))


class Refusals(Case):
    def refused(self, function, *parts):
        with self.assertRaises(tercet.TraceError) as caught:
            tercet.flex_spec(function)
        message = str(caught.exception)
        for part in ("test_tracer.py:", *parts):
            self.assertIn(part, message)
        return message

    def test_control_flow(self):
        def score(score, b, h, q_idx, kv_idx):
            if q_idx > kv_idx:
                return score
            return score * 2
        message = self.refused(score, "Python control flow", "torch.where or numpy.where", "if q_idx > kv_idx:")
        self.assertIn(f"test_tracer.py:{score.__code__.co_firstlineno + 1}:", message)

    def test_and_not_and_chained_comparisons(self):
        self.refused(lambda score, b, h, i, j: score * (i > 3 and j > 3), "Python control flow")
        self.refused(lambda score, b, h, i, j: score * (not i > 3), "Python control flow")
        self.refused(lambda score, b, h, i, j: score * (0 < i < 3), "Python control flow")

    def test_functions_that_regions_do_not_have(self):
        self.refused(lambda score, b, h, i, j: numpy.sin(score), "numpy.sin is not an op of regions", "numpy.sin(score)")
        self.refused(lambda score, b, h, i, j: numpy.interp(score, [0, 1], [0, 1]), "numpy.interp is not an op of regions")
        self.refused(lambda score, b, h, i, j: score.erf(), ".erf is not known of a number of a pair")
        self.refused(lambda score, b, h, i, j: numpy.add.reduce(score), "numpy.add.reduce")

    def test_python_numbers(self):
        self.refused(lambda score, b, h, i, j: math.exp(score), "makes a Python number", "the math module")
        self.refused(lambda score, b, h, i, j: score + [1, 2, 3][i], "an index into a list")
        self.refused(lambda score, b, h, i, j: sum(score for _ in range(i)), "range()")

    def test_whole_arrays(self):
        table = numpy.zeros((4, 4), numpy.float32)
        self.refused(lambda score, b, h, i, j: score + table, "computes with the whole array table")
        self.refused(lambda score, b, h, i, j: score + table.sum(), ".sum of the array table")
        self.refused(lambda score, b, h, i, j: score + table[h, 0:2], "a slice of table")
        self.refused(lambda score, b, h, i, j: score + table[h], "computes with a part of table")
        self.refused(lambda score, b, h, i, j: score + numpy.dot(table[h], table[h]), "computes with a part of table")
        self.refused(lambda score, b, h, i, j: score + table[h, i, j], "3 indices for 2 axes of table")
        self.refused(lambda score, b, h, i, j: score + table[h, i / 2], "an index of table is a float")

    def test_numbers_beyond_32_bits_and_powers(self):
        self.refused(lambda score, b, h, i, j: score + (i + 2**40), "does not fit in 32 bits")
        self.refused(lambda score, b, h, i, j: score ** score, "powers have an exponent")

    def test_what_functions_return(self):
        with self.assertRaisesRegex(tercet.TraceError, "returns nothing"):
            tercet.flex_spec(lambda score, b, h, i, j: None)
        with self.assertRaisesRegex(tercet.TraceError, "returns a float"):
            tercet.flex_spec(None, lambda b, h, i, j: i / 2)

    def test_the_function_itself_stays_as_it_is(self):
        table = numpy.zeros(4, numpy.float32)

        def score(score, b, h, q_idx, kv_idx):
            return score + table[h]
        tercet.flex_spec(score)
        self.assertEqual(score(1.0, 0, 2, 0, 0), 1.0)


if __name__ == "__main__":
    unittest.main()

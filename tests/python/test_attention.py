"""tercet.attention on arrays: layouts, dtypes, frameworks, outputs, errors, threads."""
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

from support import Case, bound, plain, tokens  # skips without NumPy

import numpy

import tercet


class OnlyDlpack:
    """An array that has DLPack and nothing else."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __dlpack__(self, **more):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Arrays(Case):
    def agrees(self, o, q, k, v, **more):
        expected, _, scores = plain(q, k, v, **more)
        self.assert_close(o, expected, bound(scores, v))

    def test_dense(self):
        q, k, v = tokens()
        o, lse = tercet.attention(q, k, v, "dense", return_lse=True)
        self.agrees(o, q, k, v)
        self.assertEqual((o.dtype, lse.dtype, lse.shape), (numpy.float32, numpy.float32, (2, 4, 150)))

    def test_grouped_heads_other_numbers_of_keys_and_features(self):
        q, k, v = tokens(queries=70, keys=130, kv_heads=2)
        v = numpy.concatenate([v, v[..., :16]], axis=-1)
        o = tercet.attention(q, k, v, "dense")
        self.assertEqual(o.shape, (2, 4, 70, 48))
        self.agrees(o, q, k, v)

    def test_scale_and_parameters_of_the_call(self):
        q, k, v = tokens()
        self.agrees(tercet.attention(q, k, v, "dense", scale=0.5), q, k, v, scale=0.5)
        self.agrees(tercet.attention(q, k, v, "dense", scale=None), q, k, v)

    def test_strides_of_every_kind_that_has_rows(self):
        q, k, v = tokens(batch=2, heads=3, queries=50)
        base, _, scores = plain(q, k, v)
        limit = bound(scores, v)
        wide = numpy.zeros((2, 50, 3, 3, 32), numpy.float32)  # packed q, k, v of [batch, tokens, 3, heads, features]
        for at, x in enumerate((q, k, v)):
            wide[:, :, at] = x.transpose(0, 2, 1, 3)
        packed = [wide[:, :, at].transpose(0, 2, 1, 3) for at in range(3)]
        spaced = [numpy.repeat(x, 2, axis=2)[:, :, ::2] for x in (q, k, v)]
        backwards = [x[:, :, ::-1].copy()[:, :, ::-1] for x in (q, k, v)]
        for name, views in (("packed", packed), ("spaced", spaced), ("backwards", backwards)):
            with self.subTest(name):
                self.assert_close(tercet.attention(*views, "dense"), base, limit)
        same = [numpy.broadcast_to(x[:1], x.shape) for x in (q, k, v)]
        self.agrees(tercet.attention(*same, "dense"), *same)

    def test_tokens_before_heads(self):
        q, k, v = tokens()
        o = tercet.attention(*(x.transpose(0, 2, 1, 3).copy() for x in (q, k, v)), "dense", layout="bnhd")
        self.assertEqual(o.shape, (2, 150, 4, 32))
        self.agrees(o.transpose(0, 2, 1, 3), q, k, v)
        slopes = numpy.linspace(0, 0.1, 4)
        score = lambda score, b, h, i, j: score + slopes[h] * (j - i)
        o = tercet.flex_attention(*(x.transpose(0, 2, 1, 3) for x in (q, k, v)), score, layout="bnhd")
        self.agrees(o.transpose(0, 2, 1, 3), q, k, v, score=score)

    def test_half_precision(self):
        q, k, v = tokens(dtype=numpy.float16)
        o = tercet.attention(q, k, v, "dense")
        self.assertEqual(o.dtype, numpy.float16)
        expected, _, _ = plain(q, k, v)
        self.assert_close(o, expected, 2.0 ** -9 * numpy.abs(v).max().astype(float))  # o and the weights are rounded to 11 bits

    def test_read_only_inputs_and_given_outputs(self):
        q, k, v = tokens()
        for x in (q, k, v):
            x.flags.writeable = False
        out = numpy.empty_like(q)
        self.assertIs(tercet.attention(q, k, v, "dense", out=out), out)
        self.agrees(out, q, k, v)
        with self.assertRaisesRegex(tercet.InvalidArgument, "the output o is read-only"):
            tercet.attention(q, k, v, "dense", out=q)
        with self.assertRaisesRegex(tercet.InvalidArgument, "the output o begins where an input does"):
            tercet.attention(out, k, v, "dense", out=out)
        with self.assertRaisesRegex(tercet.InvalidArgument, "'o' is .* it must be"):
            tercet.attention(q, k, v, "dense", out=numpy.empty((2, 4, 150, 16), numpy.float32))

    def test_arrays_by_dlpack(self):
        q, k, v = tokens()
        o = tercet.attention(*map(OnlyDlpack, (q, k, v)), "dense")
        self.agrees(o, q, k, v)

    def test_outputs_are_made_by_the_namespace_of_arrays_that_cannot_be_written(self):
        class Frozen(OnlyDlpack):
            def __array_namespace__(self):
                return type("Namespace", (), {"asarray": staticmethod(Frozen)})
        q, k, v = tokens()
        o, lse = tercet.attention(*map(Frozen, (q, k, v)), "dense", return_lse=True)
        self.assertIsInstance(o, Frozen)
        self.assertIsInstance(lse, Frozen)
        self.agrees(o.array, q, k, v)

    def test_tables_lengths_and_classes_are_converted(self):
        q, k, v = tokens()
        o = tercet.attention(q, k, v, "alibi", slopes=numpy.zeros(4))
        self.assertEqual(o.dtype, numpy.float32)
        length = numpy.array([100, 150])
        o = tercet.attention(q, k, v, "dense", k_len=length)
        self.agrees(o, q, k, v, mask=lambda b, h, i, j: j < length[b])
        with self.assertRaisesRegex(tercet.InvalidArgument, "k_len is float64; int32 is needed"):
            tercet.attention(q, k, v, "dense", k_len=length / 2)
        with self.assertRaisesRegex(tercet.InvalidArgument, "does not fit in 32 bits"):
            tercet.attention(q, k, v, "dense", k_len=length + 2**33)

    def test_classes_in_and_out(self):
        q, k, v = tokens(queries=256)
        o, classes = tercet.attention(q, k, v, "sparse_topk", keep=0.5, return_classes=True)
        self.assertEqual((classes.shape, classes.dtype), ((2, 4, 4, 4), numpy.int8))
        numpy.testing.assert_array_equal(tercet.attention(q, k, v, "sparse_topk", classes=classes), o)

    def test_a_spec_of_a_file(self):
        arrays = tokens()
        path = pathlib.Path(__file__).parents[2] / "dialect" / "specs" / "causal.mlir"
        numpy.testing.assert_array_equal(tercet.attention(*arrays, path), tercet.attention(*arrays, "causal"))

    def test_a_report(self):
        report = {}
        tercet.attention(*tokens(queries=256), "sparse_topk", keep=0.5, report=report)
        self.assertEqual(report["blocks"]["kept"], 2 * 4 * 4 * 2)

    def test_warnings_go_to_logging(self):
        with self.assertLogs("tercet", "WARNING") as logged:
            tercet.attention(*tokens(), "sla")
        self.assertIn("w is absent: the identity takes its place", logged.output[0])
        code = "import logging, tercet; logging.basicConfig(); tercet.specs(); tercet.attention(*[__import__('numpy').ones((1, 1, 9, 16), 'f')] * 3, 'dense')"
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "TERCET_NONSENSE": "1"}).stderr
        self.assertIn("WARNING:tercet:", said)
        self.assertIn("TERCET_NONSENSE", said)

    def test_empty_rows(self):
        q, k, v = tokens()
        o, lse = tercet.flex_attention(q, k, v, None, lambda b, h, i, j: i > j, return_lse=True)
        self.assertTrue((o[:, :, 0] == 0).all() and (lse[:, :, 0] == -numpy.inf).all())


class Lists(Case):
    def test_block_lists_are_flex_attention_s(self):
        class BlockMask:
            BLOCK_SIZE = (32, 32)
            kv_num_blocks = numpy.array([[[1, 2, 1, 0]]])
            kv_indices = numpy.array([[[[0, 9, 9, 9], [1, 0, 9, 9], [2, 9, 9, 9], [9, 9, 9, 9]]]]) % 9
            full_kv_num_blocks = numpy.array([[[0, 0, 1, 2]]])
            full_kv_indices = numpy.array([[[[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 3, 0, 0]]]])
            mask_mod = staticmethod(lambda b, h, i, j: i % 3 + j % 3 < 5)
        allowed = numpy.zeros((4, 4), bool)
        allowed[[0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 2, 0, 1, 3]] = True
        q, k, v = tokens(queries=128)
        o = tercet.flex_attention(q, k, v, None, BlockMask())
        mask = lambda b, h, i, j: allowed[i // 32, j // 32] & (i % 3 + j % 3 < 5)
        expected, _, scores = plain(q, k, v, None, mask)
        self.assert_close(o, expected, bound(scores, v))

    def test_compressed_rows_and_dense_maps(self):
        dense = numpy.random.default_rng(0).random((5, 7)) < 0.4
        indptr = numpy.concatenate([[0], numpy.cumsum(dense.sum(1))])
        expected = numpy.where(dense, 1, -1)[None, None]
        numpy.testing.assert_array_equal(tercet.classes.from_bsr(indptr, numpy.nonzero(dense)[1], columns=7), expected)
        numpy.testing.assert_array_equal(tercet.classes.from_dense(dense), expected)
        self.assertEqual(tercet.classes.from_dense(dense).dtype, numpy.int8)

    def test_lists_that_name_nothing(self):
        with self.assertRaisesRegex(tercet.InvalidArgument, "kv_indices from 4 to 4 name none of 1 key blocks"):
            tercet.classes.from_kv_blocks(numpy.array([[[1]]]), numpy.array([[[[4]]]]))
        with self.assertRaisesRegex(tercet.InvalidArgument, "name none of 2 columns"):
            tercet.classes.from_bsr([0, 1], [2], columns=2)
        with self.assertRaisesRegex(tercet.InvalidArgument, "indptr runs from 0 upwards"):
            tercet.classes.from_bsr([0, 2, 1], [0, 1])


class Errors(Case):
    def refused(self, kind, message, *arrays, **named):
        with self.assertRaisesRegex(kind, message) as caught:
            tercet.attention(*arrays, **named)
        self.assertIsInstance(caught.exception, tercet.TercetError)

    def test_wrong_tensors(self):
        q, k, v = tokens()
        self.refused(tercet.InvalidArgument, r"q has the shape \[4, 150, 32\]", q[0], k, v, spec="dense")
        self.refused(tercet.InvalidArgument, r"q has the shape \[2, 4, 0, 32\]; every size is at least 1", q[:, :, :0], k, v, spec="dense")
        self.refused(tercet.InvalidArgument, "q, k and v share", q, k.astype(numpy.float16), v, spec="dense")
        self.refused(tercet.InvalidArgument, "q is float64", *(x.astype(float) for x in (q, k, v)), spec="dense")
        self.refused(tercet.InvalidArgument, "last dimension", *(x.repeat(2, -1)[..., ::2] for x in (q, k, v)), spec="dense")
        self.refused(tercet.InvalidArgument, "it must be", q, k[..., :16], v, spec="dense")
        self.refused(tercet.InvalidArgument, "q is list", q.tolist(), k, v, spec="dense")
        self.refused(tercet.InvalidArgument, "big-endian", *(x.astype(">f4") for x in (q, k, v)), spec="dense")
        self.refused(tercet.InvalidArgument, "slopes", q, k, v, spec="alibi")

    def test_wrong_names_and_numbers(self):
        arrays = tokens()
        self.refused(tercet.InvalidArgument, "no built-in spec 'nonsense'; there are .*sla", *arrays, spec="nonsense")
        self.refused(tercet.InvalidArgument, "no tensor or parameter kep; tensors: q, k, v, w, b.*parameters: .*keep", *arrays, spec="sla", kep=1)
        self.refused(tercet.InvalidArgument, "'keep' is 2; it must be from 0 to 1", *arrays, spec="sla", keep=2.0)
        self.refused(tercet.InvalidArgument, "keep is 'much'; it is a number", *arrays, spec="sla", keep="much")
        self.refused(ValueError, "no output lse; outputs: o", *arrays, spec="linear", return_lse=True)
        self.refused(tercet.InvalidArgument, "layouts are bhnd and bnhd", *arrays, layout="hbnd")

    def test_wrong_specs_and_targets(self):
        arrays = tokens()
        self.refused(tercet.InvalidSpec, "<spec>:1:.*error", *arrays, spec="tercet.spec @x(%q: !tercet.tokens) {")
        self.refused(tercet.InvalidSpec, "feature_map|softmax, elu or relu", *arrays, spec="sla", feature_map="cosine")
        self.refused((tercet.UnsupportedTarget, tercet.InvalidArgument, tercet.DeviceUnavailable), "", *arrays, spec="dense", target="abacus")


class Process(Case):
    def test_calls_of_every_size_share_a_compilation(self):
        from tercet import _kernels, _native

        def compilations():
            return _native.described(_native.library().tercet_session_describe, _kernels.session())["compiles"]
        tercet.attention(*tokens(head_dim=24, queries=40), "dense")
        before, kernels = compilations(), len(_kernels._kernels)
        for queries in (41, 300, 1200):
            tercet.attention(*tokens(head_dim=24, queries=queries), "dense")
        self.assertEqual(compilations(), before)
        self.assertEqual(len(_kernels._kernels), kernels + 2)  # 300 and 1200 are classes of their own for tuned schedules

    def test_many_threads_have_the_same_results(self):
        q, k, v = tokens(queries=256)
        expected = {keep: tercet.attention(q, k, v, "sparse_topk", keep=keep) for keep in (0.25, 0.5, 1.0)}
        wrong = []

        def work(keep):
            for _ in range(10):
                if not numpy.array_equal(tercet.attention(q, k, v, "sparse_topk", keep=keep), expected[keep]):
                    wrong.append(keep)
            tercet.release_workspace()
        threads = [threading.Thread(target=work, args=(keep,)) for keep in (0.25, 0.5, 1.0) * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_process_that_forks(self):
        code = ("import os, numpy, tercet\n"
                "x = numpy.ones((1, 1, 200, 16), numpy.float32)\n"
                "before = tercet.attention(x, x, x, 'dense')\n"
                "child = os.fork()\n"
                "same = numpy.array_equal(before, tercet.attention(x, x, x, 'dense'))\n"
                "os._exit(not same) if child == 0 else None\n"
                "raise SystemExit(os.waitpid(child, 0)[1] or not same)\n")
        self.assertEqual(subprocess.run([sys.executable, "-c", code], timeout=120).returncode, 0)

    def test_importing_imports_no_framework_and_takes_no_time(self):
        code = ("import sys, time\nstart = time.process_time()\nimport tercet\ntook = time.process_time() - start\n"
                "print(took, [name for name in ('numpy', 'torch', 'jax') if name in sys.modules])\n")
        with tempfile.TemporaryDirectory() as compiled:  # as installed: what Python compiles of a module is kept
            env = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
            env.pop("PYTHONDONTWRITEBYTECODE", None)
            said = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env).stdout.split(maxsplit=1) for _ in range(5)]
        self.assertEqual(said[0][1].strip(), "[]")
        self.assertLess(min(float(took) for took, _ in said), 0.1)


if __name__ == "__main__":
    unittest.main()

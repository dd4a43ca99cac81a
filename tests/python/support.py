"""What the Python tests share: data, the plain evaluation in fp64, and bounds."""
import sys
import unittest

SKIPPED = 77
try:
    import numpy
except ImportError:
    print("SKIPPED: this Python has no NumPy (package python3-numpy)")
    sys.exit(SKIPPED)

import tercet


def tokens(seed=0, batch=2, heads=4, queries=150, keys=None, head_dim=32, kv_heads=None, dtype=numpy.float32):
    rng = numpy.random.default_rng(seed)
    keys, kv_heads = keys or queries, kv_heads or heads
    shapes = (batch, heads, queries, head_dim), (batch, kv_heads, keys, head_dim), (batch, kv_heads, keys, head_dim)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def positions(shape):
    """Batch, head, query and key as arrays that broadcast against scores of this shape."""
    return [numpy.arange(size).reshape([-1 if axis == own else 1 for axis in range(4)]) for own, size in enumerate(shape)]


def plain(q, k, v, score=None, mask=None, scale=None):
    """(o, lse, scores): attention in fp64 with every score made, the functions called on whole arrays."""
    q, k, v = (x.astype(numpy.float64) for x in (q, k, v))
    k, v = (numpy.repeat(x, q.shape[1] // x.shape[1], axis=1) for x in (k, v))
    s = q @ k.swapaxes(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    at = positions(s.shape)
    s = s if score is None else numpy.broadcast_to(score(s, *at), s.shape)
    s = s if mask is None else numpy.where(mask(*at), s, -numpy.inf)
    largest = s.max(-1, keepdims=True)
    safe = numpy.where(numpy.isfinite(largest), largest, 0)
    p = numpy.exp(s - safe)
    total = p.sum(-1, keepdims=True)
    with numpy.errstate(divide="ignore"):
        lse = (safe + numpy.log(total))[..., 0]
    return p @ v / numpy.where(total == 0, 1, total), lse, s


def bound(scores, v):
    """Of fp32: a score of size s is known to s 2^-24 and a few operations more, which moves its weight by as much."""
    finite = numpy.abs(scores[numpy.isfinite(scores)])
    return 2.0 ** -21 * (8 + (finite.max() if finite.size else 0)) * numpy.abs(v).max()


class Case(unittest.TestCase):
    def assert_close(self, found, expected, limit):
        self.assertEqual(found.shape, expected.shape)
        error = numpy.abs(found.astype(numpy.float64) - expected).max()
        self.assertLessEqual(error, limit)


def number_of(expression, count=64, **sizes):
    """What a score function of the query's position gives at 0 .. count - 1, by a kernel: with one key, the log-sum-exp is the score."""
    q, k, v = tokens(batch=1, heads=1, queries=count, keys=1, head_dim=16)
    return tercet.flex_attention(q, k, v, lambda score, b, h, q_idx, kv_idx: expression(q_idx), return_lse=True)[1][0, 0]

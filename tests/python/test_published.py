"""Published score and mask functions through the tracer and a kernel, beside a plain evaluation in fp64."""
import unittest

from support import Case, bound, plain, tokens  # skips without NumPy

import numpy

import tercet
from published import CASES


class Published(Case):
    def check(self, name, **shape):
        q, k, v = tokens(**shape)
        score, mask, _ = CASES[name](numpy, numpy.asarray, (*q.shape[:3], k.shape[2]))
        o, lse = tercet.flex_attention(q, k, v, score, mask, return_lse=True)
        expected, expected_lse, scores = plain(q, k, v, score, mask)
        self.assert_close(o, expected, bound(scores, v))
        some = numpy.isfinite(expected_lse)
        self.assertTrue((numpy.isfinite(lse) == some).all())
        self.assert_close(lse[some], expected_lse[some], bound(scores, numpy.ones(1)))

    def test_there_are_twenty_and_more(self):
        self.assertGreaterEqual(len(CASES), 20)


for _name in CASES:
    setattr(Published, f"test_{_name}", lambda self, name=_name: self.check(name))
    if _name not in ("neighbourhood", "shifted_windows"):
        setattr(Published, f"test_{_name}_with_fewer_queries", lambda self, name=_name: self.check(name, queries=97, keys=150, kv_heads=2))

if __name__ == "__main__":
    unittest.main()

"""Random expressions of a position and of captured tensors: a kernel gives what eager PyTorch gives, whatever their types. Seeded."""
import random
import unittest

import torch_support  # noqa: F401  skips without PyTorch
import torch

import tercet

COUNT, LENGTH = 60, 64
generator = torch.Generator().manual_seed(0)
SCOPE = {"torch": torch, "integers": torch.randint(-5, 9, (LENGTH,), generator=generator), "floats": torch.randn(LENGTH, generator=generator),
         "truths": torch.rand(LENGTH, generator=generator) < 0.5}
LEAVES = ("q", "q", "3", "-4", "0.5", "integers[q]", "floats[q]", "truths[q]", "(q - 11)")
#: {a} and {b} are numbers, {t} and {u} the same as tensors, {c} is a condition.
FORMS = ("({a} + {b})", "({a} - {b})", "({a} * {b})", "({a} // 3)", "({a} // -4)", "({a} % 5)", "({a} % -4)", "({a} / 2.5)", "abs({a})", "-{t}",
         "torch.where({c}, {a}, {b})", "torch.clamp({t}, -3, 4)", "torch.tanh(0.1 * {t})", "torch.maximum({t}, {u})", "torch.minimum({t}, {u})",
         "{t}.to(torch.float32)", "({c} * 1)")
CONDITIONS = ("({t} < {a})", "({t} >= {a})", "({t} == {a})", "({c} & {d})", "({c} | {d})", "(~{c})")


def number(draw, depth):
    if depth == 0:
        return draw.choice(LEAVES)
    a, b = number(draw, depth - 1), number(draw, depth - 1)
    return draw.choice(FORMS).format(a=a, b=b, t=f"(0 * q + {a})", u=f"(0 * q + {b})", c=condition(draw, depth - 1))


def condition(draw, depth):
    form = draw.choice(CONDITIONS if depth > 0 else CONDITIONS[:3])
    a, b = number(draw, max(depth - 1, 0)), number(draw, max(depth - 1, 0))
    inner = [condition(draw, depth - 1) if depth > 0 else "" for _ in range(2)]
    return form.format(a=a, t=f"(0 * q + {b})", c=inner[0], d=inner[1])


class Expressions(unittest.TestCase):
    def test_values(self):
        draw, q = random.Random(1), torch.arange(LENGTH)
        tokens = torch_support.tokens(batch=1, heads=1, queries=LENGTH, keys=1, head_dim=16, grad=False)
        compared = 0
        while compared < COUNT:
            text = number(draw, draw.choice((1, 2, 3)))
            function = eval(f"lambda q: {text}", SCOPE)
            try:
                expected = function(q)
            except RuntimeError:  # such as the difference of truth values
                continue
            if not isinstance(expected, torch.Tensor):
                continue
            compared += 1
            with self.subTest(text):
                _, lse = tercet.flex_attention(*tokens, lambda score, b, h, q_idx, kv_idx: function(q_idx), return_lse=True)
                torch.testing.assert_close(lse[0, 0], expected.float(), rtol=1e-5, atol=1e-5)


if __name__ == "__main__":
    unittest.main()

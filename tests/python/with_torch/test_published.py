"""Published score and mask functions written with PyTorch: outputs and gradients of kernels beside eager PyTorch in fp64."""
import unittest

import torch_support as support
import torch

import tercet
from published import CASES

#: fp32: a few roundings per score of size up to 30 and per sum of 150 terms.
LIMIT = 2e-5


class Published(unittest.TestCase):
    def check(self, name, **shape):
        q, k, v = support.tokens(**shape)

        def array(x, twice=False):
            tensor = torch.as_tensor(x)
            return (tensor.double() if twice and tensor.is_floating_point() else tensor).requires_grad_(tensor.is_floating_point())
        sizes = (*q.shape[:3], k.shape[2])
        score, mask, tables = CASES[name](torch, array, sizes)
        o = tercet.flex_attention(q, k, v, score, mask)
        score, mask, wide = CASES[name](torch, lambda x: array(x, True), sizes)
        inputs = [x.detach().double().requires_grad_() for x in (q, k, v)]
        expected = support.plain(*inputs, score, mask)
        do = torch.randn(o.shape, generator=torch.Generator().manual_seed(1))
        self.assertLess(support.error(o, expected), LIMIT)
        found = torch.autograd.grad(o, [q, k, v, *tables], do)
        for what, one, other in zip(("dq", "dk", "dv", "of a table", "of a table"), found,
                                    torch.autograd.grad(expected, [*inputs, *wide], do.double())):
            self.assertEqual(one.shape, other.shape)
            self.assertLess(support.error(one, other), LIMIT, what)


for _name in CASES:
    setattr(Published, f"test_{_name}", lambda self, name=_name: self.check(name))


class Grouped(Published):
    """Several query heads share keys, and queries and keys differ in number."""

    def check(self, name, **shape):
        super().check(name, queries=97, keys=150, kv_heads=2, **shape)


for _name in set(CASES) - {"causal", "alibi_of_a_tensor", "relative_bias", "full_bias", "documents"}:
    setattr(Grouped, f"test_{_name}", None)


class FlexAttention(unittest.TestCase):
    def test_pytorch_s_own_gives_the_same(self):
        from torch.nn.attention.flex_attention import and_masks, create_block_mask, flex_attention
        slopes = torch.linspace(0.01, 0.3, 4)

        def score(score, b, h, q_idx, kv_idx):
            return score + slopes[h] * (kv_idx - q_idx)
        mask = and_masks(lambda b, h, q_idx, kv_idx: q_idx >= kv_idx, lambda b, h, q_idx, kv_idx: q_idx - kv_idx < 70)
        q, k, v = support.tokens(queries=256, grad=False)
        block_mask = create_block_mask(mask, None, None, 256, 256, device="cpu", BLOCK_SIZE=64)
        expected = flex_attention(q, k, v, score_mod=score, block_mask=block_mask)
        for given in (block_mask, mask):
            self.assertLess(support.error(tercet.flex_attention(q, k, v, score, given), expected.double()), LIMIT)
        from torch.nn.attention.flex_attention import AuxRequest
        _, aux = flex_attention(q, k, v, score_mod=score, block_mask=block_mask, return_aux=AuxRequest(lse=True))
        torch.testing.assert_close(tercet.flex_attention(q, k, v, score, mask, return_aux=AuxRequest(lse=True))[1].lse, aux.lse)

    def test_block_masks_of_lists_alone(self):
        from torch.nn.attention.flex_attention import BlockMask
        counts, indices = torch.tensor([[[2, 1, 2, 1]]]), torch.tensor([[[[0, 3, 1, 2], [1, 0, 2, 3], [2, 0, 1, 3], [3, 0, 1, 2]]]])
        block_mask = BlockMask.from_kv_blocks(counts.int(), indices.int(), BLOCK_SIZE=64)
        q, k, v = support.tokens(queries=256)
        allowed = torch.zeros(4, 4, dtype=torch.bool)
        allowed[[0, 0, 1, 2, 2, 3], [0, 3, 1, 2, 0, 3]] = True
        o = tercet.flex_attention(q, k, v, None, block_mask)
        expected = support.plain(*(x.double() for x in (q, k, v)), mask=lambda b, h, i, j: allowed[i // 64, j // 64])
        self.assertLess(support.error(o, expected), LIMIT)
        o.sum().backward()


class Rules(unittest.TestCase):
    def test_functions_have_the_values_and_gradients_of_pytorch(self):
        functions = {
            "clamp": lambda x: torch.clamp(x, -1, 1.5), "relu": torch.relu, "sigmoid": torch.sigmoid, "silu": torch.nn.functional.silu,
            "softplus": torch.nn.functional.softplus, "logsigmoid": torch.nn.functional.logsigmoid, "abs": torch.abs, "rsqrt": lambda x: torch.rsqrt(x * x + 1),
            "where": lambda x: torch.where(x > 0, x, 0.5 * x), "masked_fill": lambda x: x.masked_fill(x > 1, 1.0), "pow": lambda x: x ** 3,
            "methods": lambda x: (x.tanh() * x.exp()).clamp(max=2.0), "fmax": lambda x: torch.fmax(x, -x), "maximum": lambda x: torch.maximum(x, 0.3 * x),
            "logical": lambda x: torch.where(torch.logical_and(x > 0, torch.logical_not(x > 1)), x, x * x), "zeros_like": lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
            "gelu": lambda x: torch.nn.functional.gelu(x, approximate="tanh"), "new tensors": lambda x: x * torch.tensor(0.5), "remainder": lambda x: torch.remainder(x, 1.5) + x, "sign": lambda x: torch.sign(x) * x,
        }
        for name, function in functions.items():
            with self.subTest(name):
                q, k, v = support.tokens(batch=1, heads=1, queries=40)
                score = lambda score, b, h, q_idx, kv_idx: function(score)
                o = tercet.flex_attention(q, k, v, score)
                inputs = [x.detach().double().requires_grad_() for x in (q, k, v)]
                expected = support.plain(*inputs, score)
                for one, other in zip(torch.autograd.grad(o.sum(), (q, k, v)), torch.autograd.grad(expected.sum(), inputs)):
                    self.assertLess((one - other).abs().max().item(), 1e-4)
                self.assertLess(support.error(o, expected), LIMIT)

    def test_integers_divide_as_in_pytorch(self):
        x = torch.arange(64)
        for function in (lambda x: (x - 9) // 4, lambda x: (x - 9) % 4, lambda x: x / 4, lambda x: torch.div(x - 9, 4, rounding_mode="floor"), lambda x: (x - 9) % -4,
                         lambda x: (x > 5) + (x > 7) * 2, lambda x: (x - 9).float() // 4, lambda x: torch.where(x > 5, x, -1.5)):
            q, k, v = support.tokens(batch=1, heads=1, queries=64, keys=1, head_dim=16, grad=False)
            _, lse = tercet.flex_attention(q, k, v, lambda score, b, h, q_idx, kv_idx: function(q_idx), return_lse=True)
            self.assertLess((lse[0, 0] - function(x)).abs().max().item(), 1e-5)

    def test_a_tensor_that_an_object_holds(self):
        class Mod:
            def __init__(self):
                self.inner = type("Inner", (), {"slopes": torch.linspace(0, 1, 4)})()

        mod = Mod()
        self.assertIn("!tercet.table<[head], f32>", str(tercet.flex_spec(lambda score, b, h, i, j: score * mod.inner.slopes[h])[0]))

    def test_what_is_refused(self):
        with self.assertRaisesRegex(tercet.TraceError, r"test_published.py:\d+: torch.erf is not an op of regions"):
            tercet.flex_spec(lambda score, b, h, i, j: torch.erf(score))
        rows = torch.ones(4, 8)
        with self.assertRaisesRegex(tercet.TraceError, "computes with a part of rows that has axes left"):
            tercet.flex_spec(lambda score, b, h, i, j: score + torch.dot(rows[h], rows[h]))
        with self.assertRaisesRegex(tercet.TraceError, "Python control flow"):
            tercet.flex_spec(lambda score, b, h, i, j: score if i > j else -score)
        with self.assertRaisesRegex(tercet.TraceError, "computes with the whole array slopes"):
            slopes = torch.ones(4)
            tercet.flex_spec(lambda score, b, h, i, j: score + slopes)


if __name__ == "__main__":
    unittest.main()

"""tercet.nn.SparseLinearAttention beside the public module's mathematics in eager PyTorch; the operator's registrations; compilation."""
import unittest

import torch_support as support
import torch

import tercet
import tercet.nn


def public(q, k, v, w, b, topk, feature_map, block_q, block_k, over="all"):
    """The public module (github.com/thu-ml/SLA) by its formulas, with whole matrices: the best blocks by means exact, linear attention
    over all keys with 1e-5 in its denominator, projected, added."""
    n, m = q.shape[2], k.shape[2]

    def means(x, size):
        return torch.stack([x[:, :, at:at + size].mean(2) for at in range(0, x.shape[2], size)], 2)
    scores = means(q, block_q) @ means(k - k.mean(2, keepdim=True), block_k).mT
    kept = torch.zeros_like(scores, dtype=torch.bool)
    kept.scatter_(-1, scores.topk(int(topk * scores.shape[-1]), dim=-1).indices, True)
    mask = kept.repeat_interleave(block_q, 2)[:, :, :n].repeat_interleave(block_k, 3)[..., :m]
    exact = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(~mask, -torch.inf).softmax(-1) @ v
    phi = {"softmax": lambda x: x.softmax(-1), "elu": lambda x: torch.nn.functional.elu(x) + 1, "relu": torch.relu}[feature_map]
    share = phi(q) @ phi(k).mT
    share = share if over == "all" else share.masked_fill(mask, 0.0)
    rest = share @ v / (1e-5 + share.sum(-1, keepdim=True))
    return exact + rest @ w.T + b


def module(head_dim=32, topk=0.4, **more):
    attn = tercet.nn.SparseLinearAttention(head_dim, topk, **{"dtype": torch.float32, **more})
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        attn.proj_l.weight.normal_(0, 0.2, generator=generator)
        attn.proj_l.bias.normal_(0, 0.2, generator=generator)
    return attn


class Module(unittest.TestCase):
    def check(self, attn, limit=2e-5, over="all", **shape):
        q, k, v = support.tokens(**{"queries": 330, **shape})
        o = attn(q, k, v)
        weights = [attn.proj_l.weight, attn.proj_l.bias]
        inputs = [x.detach().double().requires_grad_() for x in (q, k, v, *weights)]
        expected = public(*inputs, attn.topk, attn.feature_map, attn.BLKQ, attn.BLKK, over)
        do = torch.randn(o.shape, generator=torch.Generator().manual_seed(1)).to(o.dtype)
        found = torch.autograd.grad(o, [q, k, v, *weights], do)
        wanted = torch.autograd.grad(expected, inputs, do.double())
        for what, one, other in zip(("o", "dq", "dk", "dv", "dw", "db"), (o, *found), (expected, *wanted)):
            self.assertEqual(one.shape, other.shape)
            self.assertLess(support.error(one, other), limit, what)

    def test_feature_maps(self):
        for feature_map in ("softmax", "elu", "relu"):
            with self.subTest(feature_map):
                self.check(module(feature_map=feature_map))

    def test_blocks_and_shares(self):
        self.check(module(BLKQ=128, BLKK=64, topk=0.6))
        self.check(module(BLKQ=32, BLKK=32, topk=0.2))

    def test_the_linear_branch_of_the_paper(self):
        self.check(module(linear_over="marginal"), over="marginal")

    def test_blocks_that_are_dropped(self):
        attn, (q, k, v) = module(linear_over="marginal", drop=0.3), support.tokens(queries=330, grad=False)
        w, b = attn.proj_l.weight.detach(), attn.proj_l.bias.detach()
        expected = tercet.attention(q, k, v, "sla", w=w, b=b, keep=0.4, drop=0.3, eps=1e-5)
        self.assertTrue(torch.equal(attn(q, k, v).detach(), expected) or support.error(attn(q, k, v), expected.double()) < 2e-6)

    def test_wrong_tensors_are_refused_by_the_operator(self):
        q, k, v = support.tokens(queries=150)
        with self.assertRaisesRegex(tercet.InvalidArgument, "'w' is"):
            module(head_dim=16)(q, k, v)

    def test_bfloat16(self):
        q, k, v = support.tokens(queries=330, dtype=torch.bfloat16)
        attn = module(dtype=None)
        self.assertIs(attn.dtype, torch.bfloat16)
        o = attn(q, k, v)
        self.assertIs(o.dtype, torch.bfloat16)
        inputs = [x.detach().double() for x in (q, k, v, attn.proj_l.weight, attn.proj_l.bias)]
        self.assertLess(support.error(o, public(*inputs, attn.topk, "softmax", 64, 64)), 2.0 ** -7)  # rounds to 8 bits
        o.sum().backward()
        self.assertIs(q.grad.dtype, torch.bfloat16)
        self.assertIs(attn.proj_l.weight.grad.dtype, torch.float32)

    def test_inputs_are_converted_and_outputs_converted_back(self):
        q, k, v = support.tokens(queries=330)
        o = module(dtype=None)(q, k, v)
        self.assertIs(o.dtype, torch.float32)
        o.sum().backward()
        self.assertIs(q.grad.dtype, torch.float32)

    def test_public_checkpoints_load(self):
        attn = tercet.nn.SparseLinearAttention(head_dim=32, topk=0.2, feature_map="softmax", BLKQ=64, BLKK=64, use_bf16=True, tie_feature_map_qk=True)
        self.assertEqual({name: tuple(x.shape) for name, x in attn.state_dict().items()}, {"proj_l.weight": (32, 32), "proj_l.bias": (32,)})
        self.assertEqual(attn.proj_l.weight.abs().max().item(), 0)
        state = {"proj_l.weight": torch.randn(32, 32), "proj_l.bias": torch.randn(32)}
        attn.load_state_dict(state, strict=True)
        torch.testing.assert_close(attn.proj_l.weight.detach(), state["proj_l.weight"])

    def test_sparsity_is_told(self):
        o, share = module(topk=0.4)(*support.tokens(queries=330), return_sparsity=True)
        self.assertEqual(share, 2 / 6)

    def test_another_topk_compiles_nothing(self):
        attn, tokens = module(), support.tokens(queries=330, grad=False)
        attn(*tokens)
        attn.topk = 1.0
        self.assertLess(support.error(attn(*tokens), public(*(x.double() for x in (*tokens, attn.proj_l.weight, attn.proj_l.bias)), 1.0, "softmax", 64, 64)), 2e-5)

    def test_unknown_feature_maps(self):
        with self.assertRaisesRegex(NotImplementedError, "hedgehog"):
            tercet.nn.SparseLinearAttention(32, 0.1, "hedgehog")

    def test_it_learns(self):
        attn, (q, k, v) = module(), support.tokens(queries=200, grad=False)
        target = torch.randn(q.shape, generator=torch.Generator().manual_seed(3)) * 0.1
        optimizer = torch.optim.SGD(attn.parameters(), lr=0.5)
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            losses.append(((attn(q, k, v) - target) ** 2).mean())
            losses[-1].backward()
            optimizer.step()
        self.assertEqual(losses, sorted(losses, reverse=True))


class Operator(unittest.TestCase):
    def test_opcheck(self):
        attn = module()
        q, k, v = support.tokens(queries=150)
        torch.library.opcheck(torch.ops.tercet.attend.default, (q, k, v, [attn.proj_l.weight, attn.proj_l.bias], attn.call, True))
        detached = [x.detach() for x in (q, k, v, attn.proj_l.weight, attn.proj_l.bias)]
        torch.library.opcheck(torch.ops.tercet.attend.default, (*detached[:3], detached[3:], attn.call, False))

    def test_opcheck_of_the_backward(self):
        attn = module()
        q, k, v = support.tokens(queries=150, grad=False)
        w = [attn.proj_l.weight.detach(), attn.proj_l.bias.detach()]
        saved = torch.ops.tercet.attend(q, k, v, w, attn.call, True)
        torch.library.opcheck(torch.ops.tercet.attend_backward.default, (torch.randn(q.shape), q, k, v, w, saved, attn.call, [0, 1]))

    def test_compiled_without_a_break_and_the_same(self):
        attn, tokens = module(), support.tokens(queries=330)
        expected = attn(*tokens)
        expected.sum().backward()
        wanted = [x.grad.clone() for x in (*tokens, *attn.parameters())]
        for x in (*tokens, *attn.parameters()):
            x.grad = None
        self.assertEqual(torch._dynamo.explain(attn)(*tokens).graph_break_count, 0)
        compiled = torch.compile(attn, fullgraph=True, backend="aot_eager")
        o = compiled(*tokens)
        o.sum().backward()
        self.assertTrue(torch.equal(o, expected))
        for x, grad in zip((*tokens, *attn.parameters()), wanted):
            torch.testing.assert_close(x.grad, grad)

    def test_compiled_for_any_length(self):
        attn = module()
        compiled = torch.compile(attn, fullgraph=True, dynamic=True, backend="aot_eager")
        for queries in (150, 330, 331):
            tokens = support.tokens(queries=queries)
            self.assertTrue(torch.equal(compiled(*tokens), attn(*tokens)))


class Attention(unittest.TestCase):
    def test_outputs_are_tensors(self):
        q, k, v = support.tokens(grad=False)
        o, lse = tercet.attention(q, k, v, "dense", return_lse=True)
        self.assertIsInstance(o, torch.Tensor)
        self.assertLess(support.error(o, support.plain(*(x.double() for x in (q, k, v)))), 2e-5)
        self.assertEqual(lse.shape, (2, 4, 150))

    def test_bfloat16_and_layouts(self):
        q, k, v = support.tokens(grad=False, dtype=torch.bfloat16)
        o = tercet.attention(*(x.transpose(1, 2).contiguous() for x in (q, k, v)), "dense", layout="bnhd").transpose(1, 2)
        self.assertIs(o.dtype, torch.bfloat16)
        self.assertLess(support.error(o, support.plain(*(x.double() for x in (q, k, v)))), 2.0 ** -7)

    def test_gradients_of_weights_and_tables_of_any_spec(self):
        q, k, v = support.tokens()
        gates = torch.randn(2, 4, 150, 3, requires_grad=True)
        tercet.attention(q, k, v, "nsa", gates=gates).sum().backward()
        self.assertEqual(gates.grad.shape, gates.shape)
        self.assertGreater(gates.grad.abs().sum().item(), 0)
        for x in (q, k, v):
            self.assertGreater(x.grad.abs().sum().item(), 0)

    def test_classes_beside_gradients_and_what_goes_without(self):
        tokens = support.tokens(queries=256)
        o, classes = tercet.attention(*tokens, "sparse_topk", keep=0.5, return_classes=True)
        self.assertEqual((classes.dtype, classes.shape), (torch.int8, (2, 4, 4, 4)))
        o.sum().backward()
        with self.assertRaisesRegex(tercet.InvalidArgument, "call under torch.no_grad()"):
            tercet.attention(*tokens, "dense", report={})
        with torch.no_grad():
            tercet.attention(*tokens, "dense", report={}, out=torch.empty(2, 4, 256, 32))

    def test_no_gradient_flows_through_lse(self):
        o, lse = tercet.attention(*support.tokens(), "dense", return_lse=True)
        self.assertTrue(o.requires_grad)
        self.assertFalse(lse.requires_grad)

    def test_tensors_that_lie_elsewhere(self):
        q, k, v = support.tokens(grad=False)
        with self.assertRaisesRegex(tercet.InvalidArgument, "q lies on meta; Tercet runs on CPUs and on GPUs with CUDA"):
            tercet.attention(q.to("meta"), k, v, "dense")


if __name__ == "__main__":
    unittest.main()

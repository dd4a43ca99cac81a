"""What the tests with PyTorch share."""
import sys

try:
    import torch
except ImportError:
    print("SKIPPED: this Python has no PyTorch (./tercet.sh test --torch)")
    sys.exit(77)


def tokens(batch=2, heads=4, queries=150, keys=None, head_dim=32, kv_heads=None, dtype=torch.float32, grad=True, seed=0):
    generator = torch.Generator().manual_seed(seed)
    keys, kv_heads = keys or queries, kv_heads or heads
    shapes = (batch, heads, queries, head_dim), (batch, kv_heads, keys, head_dim), (batch, kv_heads, keys, head_dim)
    return [torch.randn(shape, generator=generator).to(dtype).requires_grad_(grad) for shape in shapes]


def plain(q, k, v, score=None, mask=None):
    """Attention by eager PyTorch in the dtype of its inputs, with every score made."""
    k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
    s = q @ k.mT * q.shape[-1] ** -0.5
    at = [torch.arange(size).reshape([-1 if axis == own else 1 for axis in range(4)]) for own, size in enumerate(s.shape)]
    s = s if score is None else score(s, *at).expand(s.shape)
    if mask is not None:
        s = s.masked_fill(~mask(*at), -torch.inf)
    return s.softmax(-1) @ v


def error(found, expected):
    """The norm of the difference, relative to that of what is expected."""
    return ((found.double() - expected).norm() / expected.norm().clamp(min=1e-30)).item()

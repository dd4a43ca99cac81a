"""Fine-tunes the projection of sparse-linear attention (SLA's `proj_l`), so that a layer with one block in eight exact answers as the dense layer
did. Needs PyTorch. Usage: finetune_sla.py [checkpoint]

The tokens are made: eight scenes, whose tokens resemble each other, as in a video. What a query needs of other scenes is little and smooth, and is
what the linear branch learns to give: the loss falls to a fifth of that of sparse attention alone, and less."""
import sys

import torch
from torch.nn.functional import mse_loss, scaled_dot_product_attention

import tercet.nn

HEADS, TOKENS, DIM, SCENES = 2, 1024, 64, 8


def tokens():
    scene = torch.arange(TOKENS) * SCENES // TOKENS
    q, v = (torch.randn(1, HEADS, SCENES, DIM)[:, :, scene] + 0.3 * torch.randn(1, HEADS, TOKENS, DIM) for _ in "qv")
    return q, q + 0.3 * torch.randn(q.shape), v


torch.manual_seed(0)
attention = tercet.nn.SparseLinearAttention(head_dim=DIM, topk=0.125, dtype=torch.float32)  # proj_l begins with zeros
optimizer = torch.optim.LBFGS(attention.proj_l.parameters(), max_iter=30)
q, k, v = tokens()
target = scaled_dot_product_attention(q, k, v)


def loss():
    optimizer.zero_grad()
    value = mse_loss(attention(q, k, v), target)
    value.backward()
    return value


before = loss().item()
optimizer.step(loss)
after = loss().item()
print(f"loss {before:.3e} before, {after:.3e} after: {before / after:.1f} times less")
if len(sys.argv) > 1:
    torch.save(attention.state_dict(), sys.argv[1])  # loads into the public module (github.com/thu-ml/SLA), too

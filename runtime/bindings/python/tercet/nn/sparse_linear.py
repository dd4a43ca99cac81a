"""SLA as a PyTorch module, with the arguments and the state of the public one (github.com/thu-ml/SLA): its checkpoints load."""
import torch
from torch import nn

from .. import _torch


class SparseLinearAttention(nn.Module):
    """The best `topk` of each row's key blocks exact, linear attention through `feature_map` over all of them, projected and added.

    head_dim: of q, k and v. topk: the share of key blocks that are exact, 1 - sparsity. feature_map: softmax, elu or relu. BLKQ, BLKK:
    the blocks. use_bf16: whether to compute in bfloat16 or float16; `dtype` names another, such as torch.float32.
    linear_over: the blocks of the linear branch: "all", as public checkpoints were trained, or "marginal", those that are neither
    exact nor dropped, as in the paper (arXiv 2509.24006). drop: the share of the worst blocks, which the branch of the paper leaves out.
    """

    def __init__(self, head_dim, topk, feature_map="softmax", BLKQ=64, BLKK=64, use_bf16=True, tie_feature_map_qk=True, *, dtype=None,
                 linear_over="all", drop=0.0):
        super().__init__()
        if feature_map not in ("softmax", "elu", "relu"):
            raise NotImplementedError(f"Not supported feature map {feature_map}.")
        self.dtype = dtype or (torch.bfloat16 if use_bf16 else torch.float16)
        self.head_dim, self.topk, self.feature_map, self.BLKQ, self.BLKK = head_dim, topk, feature_map, BLKQ, BLKK
        self.linear_over, self.drop = linear_over, drop
        self.proj_l = nn.Linear(head_dim, head_dim, dtype=torch.float32)
        nn.init.zeros_(self.proj_l.weight)
        nn.init.zeros_(self.proj_l.bias)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name in ("topk", "drop", "feature_map", "BLKQ", "BLKK", "linear_over"):
            self._say()

    def _say(self):
        """The call as the operator takes it: a text, made beforehand, for a compiler that traces `forward` to read."""
        if "drop" in self.__dict__:
            settings = {"block_q": str(self.BLKQ), "block_k": str(self.BLKK), "feature_map": self.feature_map, "linear_over": self.linear_over}
            self.call = _torch.call_text("sla_all", None, settings.items(), {"keep": self.topk, "drop": self.drop}, ("w", "b"))

    def forward(self, q, k, v, return_sparsity=False):
        """q, k, v: [batch, heads, tokens, head_dim]; o is shaped as q, in its dtype."""
        dtype = q.dtype
        q, k, v = (x.to(self.dtype).contiguous() for x in (q, k, v))
        w, b = self.proj_l.weight, self.proj_l.bias
        saving = torch.is_grad_enabled() and any(x.requires_grad for x in (q, k, v, w, b))
        o = torch.ops.tercet.attend(q, k, v, [w, b], self.call, saving)[0].to(dtype)
        if not return_sparsity:
            return o
        blocks = -(-k.shape[2] // self.BLKK)
        return o, min(blocks, int(self.topk * blocks)) / blocks

    def extra_repr(self):
        return f"head_dim={self.head_dim}, topk={self.topk}, feature_map={self.feature_map}, blocks={self.BLKQ} x {self.BLKK}, {self.dtype}"

"""docs/examples/finetune_sla.py: the loss falls as the example says, and its checkpoint holds what was learnt."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import torch_support  # noqa: F401  skips without PyTorch
import torch

import tercet.nn

EXAMPLE = pathlib.Path(__file__).resolve().parents[3] / "docs/examples/finetune_sla.py"


class FineTune(unittest.TestCase):
    def test_the_loss_falls_to_a_fifth(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "proj_l.pt"
            done = subprocess.run([sys.executable, EXAMPLE, path], capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, done.stderr)
            before, after = map(float, re.match(r"loss (\S+) before, (\S+) after", done.stdout).groups())
            self.assertGreater(before, 0)
            self.assertLess(after, before / 5)
            learnt = tercet.nn.SparseLinearAttention(head_dim=64, topk=0.125)
            learnt.load_state_dict(torch.load(path))
            self.assertGreater(learnt.proj_l.weight.abs().max().item(), 0)


if __name__ == "__main__":
    unittest.main()

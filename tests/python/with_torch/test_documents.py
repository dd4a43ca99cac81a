"""All examples of docs/python.md."""
import unittest

import torch_support  # noqa: F401  skips without PyTorch

import documents


class Documents(unittest.TestCase):
    def test_examples_run(self):
        examples = documents.examples()
        self.assertTrue(any("tercet.nn" in code for _, code in examples))
        documents.run(examples)


if __name__ == "__main__":
    unittest.main()

"""The examples of docs/python.md that need no PyTorch."""
import re
import unittest

import support  # noqa: F401  skips without NumPy

import documents


class Documents(unittest.TestCase):
    def test_examples_run_and_print_what_the_page_shows(self):
        examples = [(line, code) for line, code in documents.examples() if "torch" not in code and "tercet.nn" not in code]
        self.assertGreaterEqual(len(examples), 6)
        printed = documents.run(examples)
        shown = re.search(r"```mlir\n(.*?)```", documents.PAGE.read_text(), re.S)[1]
        self.assertIn(shown + "\n", printed)
        refusal = next(text for text in printed if "Python control flow" in text)
        line = documents.PAGE.read_text().splitlines().index("    if q_idx > kv_idx:") + 1
        self.assertIn(f"python.md:{line}: ", refusal)


if __name__ == "__main__":
    unittest.main()

"""Every spec of docs/writing-specs.md, handed in on standard input, keeps the numerics contract."""
import pathlib
import re
import unittest

from support import Case

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "writing-specs.md"


class WritingSpecs(Case):
    def test_every_spec_of_the_page_passes_check(self):
        specs = re.findall(r"```mlir\n(.*?)```", PAGE.read_text(), re.S)
        self.assertGreaterEqual(len(specs), 10)
        for spec in specs:
            with self.subTest(spec=re.search(r"@(\w+)", spec)[1]):
                report = self.passes("check", "-", "--shape", "b=2,h=2,n=300,d=32", "--json", stdin=spec).json()
                self.assertTrue(report["passed"])

    def test_all_of_it_at_once_at_a_thousand_tokens(self):
        spec = re.search(r"## all of it at once.*?```mlir\n(.*?)```", PAGE.read_text(), re.S)[1]
        report = self.passes("check", "-", "--shape", "b=1,h=2,n=1000,d=64", "--json", stdin=spec).json()
        self.assertTrue(report["passed"])


if __name__ == "__main__":
    unittest.main()

"""Specs that do not parse, verify or bind, nest too deep, or are huge: a place, a sentence, exit code 1, in time."""
import unittest

from support import Case

DENSE = """tercet.spec @dense(%q: !tercet.tokens, %k: !tercet.tokens, %v: !tercet.tokens) {
  %o = tercet.sparse %q, %k, %v
  tercet.return %o
}
"""


class Specs(Case):
    def test_a_right_one_runs(self):
        self.passes("run", self.write("good.mlir", DENSE), "--shape", "n=8,d=8", "--target", "reference")

    def test_text_that_is_no_spec(self):
        self.refused_spec("hello", "error")
        self.refused_spec("", "error")
        self.refused_spec(DENSE.replace("tercet.sparse", "tercet.spares"), "spares")
        self.refused_spec(DENSE.replace("%o = ", "%o = = "), "error")
        self.refused_spec(DENSE[:60], "error")

    def test_a_spec_that_does_not_verify(self):
        self.refused_spec(DENSE.replace("%q: ", "%x: ").replace("sparse %q", "sparse %x"), "C1")

    def test_branches_that_no_target_combines(self):
        pools = "%n = tercet.param n = 8 : !tercet.static<i64>\n"
        for name in ("x", "y"):
            pools += f"%{name} = tercet.compressed %q, %k, %v pool(%n, %n) queries(%n)\n"
        linear = "%phi = tercet.param phi = elu : !tercet.static<keyword>\n"
        for name in ("x", "y"):
            linear += f"%{name} = tercet.linear %q, %k, %v feature_map(%phi)\n"
        choice = "choice(%c : !tercet.table<[head], i32>)"
        for branches, combine, says in [(pools, "joint(%x, %y)", "two branches with pooled queries under one softmax"),
                                        (linear, f"by_head(%x, %y) {choice}", "several linear branches")]:
            arguments = ", %c: !tercet.table<[head], i32>" if "choice" in combine else ""
            text = DENSE.replace("%o = tercet.sparse %q, %k, %v", f"{branches}%o = tercet.combine {combine}")
            spec = self.write("branches.mlir", text.replace("%v: !tercet.tokens", "%v: !tercet.tokens" + arguments))
            self.refused("run", spec, "--shape", "n=8,d=8", "--target", "cpu", says=says)

    def test_bytes_that_are_no_text(self):
        self.refused_spec(b"\xff\xfe\0\x01" * 100, "error")
        self.refused_spec("ML\xefR".encode("latin-1") + b"\0" * 64, "error")

    def test_a_deep_spec(self):
        for text in ["(" * 200000, "{" * 200000, "tercet.spec @a" + "<" * 200000, "[" * 100 + "]" * 100]:
            self.refused_spec(text, "nest deeper than")

    def test_a_huge_spec(self):
        spec = self.write("huge.mlir", "//" + "x" * (2 << 20) + "\n" + DENSE)
        self.refused("run", spec, "--shape", "n=8,d=8", says="bytes")
        self.refused("run", "-", "--shape", "n=8,d=8", stdin="//" + "x" * (2 << 20), says="more than 1048576 bytes")

    def test_paths_that_are_no_file(self):
        self.refused("run", str(self.folder), "--shape", "n=8,d=8", says="not a regular file")
        self.refused("run", self.path("none.mlir"), "--shape", "n=8,d=8", says="neither a file nor a built-in spec")


if __name__ == "__main__":
    unittest.main()

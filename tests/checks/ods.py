"""What the checks read out of the dialects' .td files: ops, their constraint labels, their examples."""
import re

import tree

DIALECTS = {"Tercet": "tercet", "Tkern": "tkern"}
OP = re.compile(r'^def (Tercet|Tkern)_\w+ : \1_Op<"(\w+)"')
LABEL_ROW = re.compile(r"^\s*\| (C\d+) ")


class Op:
    """One op: `name` such as tercet.select, its file and line, its labels in order, its example's text or None, and its
    whole definition."""

    def __init__(self, dialect, mnemonic, file, line):
        self.dialect, self.mnemonic, self.file, self.line = dialect, mnemonic, file, line
        self.name = f"{dialect}.{mnemonic}"
        self.body = []
        self.labels, self.example = [], None

    def finish(self):
        self.labels = [match[1] for match in map(LABEL_ROW.match, self.body) if match]
        fences = [index for index, line in enumerate(self.body) if line.strip().startswith("```")]
        if len(fences) == 2:
            block = self.body[fences[0] + 1:fences[1]]
            indent = min(len(line) - len(line.lstrip()) for line in block if line.strip())
            self.example = "\n".join(line[indent:] for line in block)


def ops():
    """Every op of both dialects, in file order."""
    found = []
    for file in tree.files(".td", under="dialect/include"):
        current = None
        for number, line in tree.lines(file):
            if match := OP.match(line):
                current = Op(DIALECTS[match[1]], match[2], file, number)
                found.append(current)
            if current:
                current.body.append(line)
            if line == "}" or (current and line.endswith(";") and not line.startswith(" ")):
                current = None
    for op in found:
        op.finish()
    return found

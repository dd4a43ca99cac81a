"""Every op shows itself: its ODS example occurs verbatim in tests/lit/doc/<op>.mlir, which lit runs.

A tkern op may point to the example of another op with a sentence "Example: tkern.<op>."; that example must then use it."""
import re

import ods
import tree

problems = []
examples = {op.name: op for op in ods.ops() if op.example is not None}
for op in ods.ops():
    where = f"{op.file}:{op.line}: {op.name}"
    if op.example is not None:
        file = f"tests/lit/doc/{op.dialect}-{op.mnemonic}.mlir"
        if not (tree.ROOT / file).is_file():
            problems.append(f"{where}: its example has no test; write {file}")
        elif op.example not in tree.text(file):
            problems.append(f"{where}: its example does not occur verbatim in {file}")
        elif "RUN: tercet-opt" not in tree.text(file):
            problems.append(f"{file}: has no RUN line with tercet-opt")
        if op.name not in op.example:
            problems.append(f"{where}: its example does not use it")
        continue
    pointer = re.search(r"Example: (\w+\.\w+)\.", " ".join(op.body))
    if not pointer:
        problems.append(f"{where}: has no example")
    elif op.dialect == "tercet":
        problems.append(f"{where}: points to another op's example; ops of the tercet dialect have their own")
    elif pointer[1] not in examples:
        problems.append(f"{where}: points to the example of {pointer[1]}, which has none")
    elif not re.search(rf"{re.escape(op.name)}\b", examples[pointer[1]].example):
        problems.append(f"{where}: points to the example of {pointer[1]}, which does not use it")
tree.report(problems)

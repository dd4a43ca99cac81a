"""No file of ours is longer than 400 lines: past that, it holds more than one idea."""
import tree

LIMIT = 400
SUFFIXES = (".cpp", ".c", ".h", ".hpp", ".inc", ".cuh", ".cu", ".td", ".mlir", ".py", ".sh", ".md", ".cmake", ".txt")

problems = []
for file in tree.files(*SUFFIXES):
    count = len(tree.text(file).splitlines())
    if count > LIMIT:
        problems.append(f"{file}: has {count} lines, the limit is {LIMIT}")
    if file.name == "README.md" and len(file.parts) == 2 and count > 40:
        problems.append(f"{file}: has {count} lines; the README of a top folder has at most 40")
tree.report(problems)

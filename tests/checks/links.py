"""Links and mentions of documents resolve: [text](path#anchor) in Markdown, docs/x.md#anchor anywhere."""
import re

import tree

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MENTION = re.compile(r"\b(docs/[\w/.-]+\.md)(#[\w-]+)?")


def anchors(name):
    """The anchors that headings make: lower case, punctuation dropped, spaces to hyphens."""
    found, fenced = set(), False
    for _, line in tree.lines(name):
        fenced ^= line.startswith("```")
        if not fenced and (match := re.match(r"#+ (.*)", line)):
            title = re.sub(r"[^\w\s-]", "", match[1].lower())
            found.add(title.strip().replace(" ", "-"))
    return found


def problem_with(target, anchor):
    if not (tree.ROOT / target).exists():
        return f"{target} does not exist"
    if anchor and target.endswith(".md") and anchor not in anchors(target):
        return f"{target} has no heading for #{anchor}"
    return None


problems = []
for file in tree.files(".md"):
    fenced = False
    for number, line in tree.lines(file):
        fenced ^= line.startswith("```")
        for link in [] if fenced else LINK.findall(line):
            if re.match(r"\w+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / path).as_posix() if path else file.as_posix()
            target = (tree.ROOT / target).resolve()
            if not target.is_relative_to(tree.ROOT):
                problems.append(f"{file}:{number}: {link} leads out of the repository")
            elif problem := problem_with(target.relative_to(tree.ROOT).as_posix(), anchor):
                problems.append(f"{file}:{number}: {problem}")
for file in tree.files(".md", ".td", ".h", ".cpp", ".cmake", ".txt", ".mlir", ".cuh", ".sh"):
    for number, line in tree.lines(file):
        for path, anchor in MENTION.findall(line):
            if problem := problem_with(path, anchor.lstrip("#")):
                problems.append(f"{file}:{number}: {problem}")
tree.report(problems)

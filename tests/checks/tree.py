"""The repository's own files, for the checks: what git tracks or would track, or, outside a clone, all but build outputs."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # the exit code that CTest and run.py read as "could not run here"


def files(*suffixes, under="."):
    """Paths relative to the root, sorted; all suffixes if none is given."""
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", under], cwd=ROOT,
                             capture_output=True, text=True)
    if listing.returncode == 0:
        names = {pathlib.Path(line) for line in listing.stdout.splitlines()}
    else:
        names = {path.relative_to(ROOT) for path in (ROOT / under).rglob("*")}
        names = {name for name in names if not name.parts[0] in ("build", ".git") and "__pycache__" not in name.parts}
    return sorted(name for name in names
                  if (ROOT / name).is_file() and (not suffixes or name.suffix in suffixes or name.name in suffixes))


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def lines(name):
    """(line number, line) pairs."""
    return list(enumerate(text(name).splitlines(), start=1))


def report(problems):
    """Prints the problems and exits: 0 without any, else 1."""
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)

"""The examples of docs/python.md, run in their order in one namespace, as a reader would."""
import contextlib
import io
import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python.md"


def examples():
    """(line, code) of every Python example."""
    text = PAGE.read_text()
    return [(text[:found.start()].count("\n") + 1, found[1]) for found in re.finditer(r"```python\n(.*?)```", text, re.S)]


def run(codes):
    """Runs them; what they print, one text per example."""
    scope, printed = {"__name__": "examples"}, []
    for line, code in codes:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile("\n" * line + code, str(PAGE), "exec"), scope)
        printed.append(said.getvalue())
    return printed

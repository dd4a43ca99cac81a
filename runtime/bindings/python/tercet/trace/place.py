"""Where in a user's function something happened: the innermost frame that belongs to no library."""
import linecache
import os
import sys

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARIES = ("torch", "numpy", "jax")


def place(message):
    """The message with the user's file and line before it and that line after it."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        top = frame.f_globals.get("__name__", "").partition(".")[0]
        if not file.startswith(_HERE) and top not in _LIBRARIES:
            line = linecache.getline(file, frame.f_lineno).strip()
            return f"{file}:{frame.f_lineno}: {message}" + (f"\n    {line}" if line else "")
        frame = frame.f_back
    return message

"""The exceptions of Tercet. One class per status code of the runtime, all of them TercetError; those whose cause is an
argument are ValueError, too, so that callers may catch what Python's own functions would raise."""


class TercetError(Exception):
    """What went wrong, in a sentence; `notes` are the runtime's key-value evidence."""

    def __init__(self, message, notes=()):
        super().__init__("\n".join([message, *(f"  {key}: {value}" for key, value in notes)]))
        self.message = message
        self.notes = dict(notes)


class InvalidSpec(TercetError, ValueError):
    """The spec does not parse, verify or bind: fix the spec or its settings."""


class InvalidArgument(TercetError, ValueError):
    """A tensor, size or option is wrong: fix the call."""


class UnsupportedTarget(TercetError):
    """No code generator for this target, size or spec: choose another."""


class CompileFailed(TercetError):
    """A code generator failed on a legal program: a defect, please report."""


class CacheUnusable(TercetError):
    """The cache cannot be read or written; results are unaffected."""


class DeviceUnavailable(TercetError):
    """No such device or driver on this machine, or no libtercet.so beside the package."""


class LaunchFailed(TercetError):
    """The device refused or aborted the work."""


class InternalError(TercetError):
    """A broken promise inside Tercet: a defect, please report."""


class TraceError(TercetError, TypeError):
    """A Python function does something that a region of a spec cannot hold; the message names what, and the line."""


#: In the order of the runtime's codes (tercet/Status.h), after ok.
BY_CODE = (InvalidSpec, InvalidArgument, UnsupportedTarget, CompileFailed, CacheUnusable, DeviceUnavailable, LaunchFailed,
           InternalError)

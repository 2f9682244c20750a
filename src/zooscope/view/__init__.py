"""The report of studies, served on this machine while they are measured."""

from zooscope.errors import MissingExtraError

try:
    import starlette as _starlette
    import uvicorn as _uvicorn
except ImportError as _error:
    _WHAT = "`zooscope view`"
    raise MissingExtraError(_WHAT, "view") from _error

del _starlette, _uvicorn

"""What the ``ssl`` arguments of the interface ask for, checked.

Source: https://docs.python.org/3/library/asyncio-eventloop.html#loop-create-server (the ``ssl_*`` arguments)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

try:
    import ssl as ssl  # for the engine, too
except ImportError:  # Python can be built without
    ssl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from ssl import SSLContext

HANDSHAKE_TIMEOUT_S = 60.0
SHUTDOWN_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How a connection is to be secured."""

    context: SSLContext
    server_side: bool
    hostname: str | None  # that the certificate must be for; None: of a server, or not to be checked
    handshake_timeout: float  # seconds
    shutdown_timeout: float  # seconds


def server_options(
    method: str, context: Any, handshake_timeout: float | None, shutdown_timeout: float | None
) -> TlsOptions | None:
    """The options of a server's side; None for none. TypeError unless ``context`` is an SSLContext or None.

    ValueError for timeouts without a context, or that are not positive.
    """
    if isinstance(context, bool):
        raise TypeError(f"{method}() takes an SSLContext or None for ssl, got {context!r}")
    return _options(method, context, True, None, handshake_timeout, shutdown_timeout)


def client_options(
    method: str,
    context: Any,
    hostname: str | None,
    host: str | None,
    handshake_timeout: float | None,
    shutdown_timeout: float | None,
) -> TlsOptions | None:
    """The options of a client's side; None for none. ``context`` may be True, for the default one.

    The name to be checked is ``hostname``, else ``host``; "" checks none. ValueError where both are missing,
    for what is said of TLS without asking for it, and for timeouts that are not positive.
    """
    if not context:
        if hostname is not None:
            raise ValueError(f"{method}(): server_hostname is for TLS only: pass ssl as well")
    elif hostname is None:
        if not host:
            raise ValueError(
                f"{method}(): TLS without a host needs a server_hostname to check; '' checks none"
            )
        hostname = host
    return _options(method, context, False, hostname, handshake_timeout, shutdown_timeout)


def start_tls_options(
    context: Any,
    server_side: bool,
    hostname: str | None,
    handshake_timeout: float | None,
    shutdown_timeout: float | None,
) -> TlsOptions:
    """The options of ``start_tls``. TypeError unless ``context`` is an SSLContext."""
    if ssl is None or not isinstance(context, ssl.SSLContext):
        raise TypeError(f"start_tls() needs an SSLContext, got {context!r}")
    options = _options("start_tls", context, server_side, hostname, handshake_timeout, shutdown_timeout)
    assert options is not None  # there is a context
    return options


def _options(
    method: str,
    context: Any,
    server_side: bool,
    hostname: str | None,
    handshake_timeout: float | None,
    shutdown_timeout: float | None,
) -> TlsOptions | None:
    timeouts = {"ssl_handshake_timeout": handshake_timeout, "ssl_shutdown_timeout": shutdown_timeout}
    for name, timeout in timeouts.items():
        if timeout is None:
            continue
        if not context:
            raise ValueError(f"{method}(): {name} is for TLS only: pass ssl as well")
        if not timeout > 0:
            raise ValueError(f"{method}(): {name} must be a positive number of seconds, got {timeout!r}")
    if not context:
        return None
    if ssl is None:
        raise RuntimeError(f"{method}(ssl=…): this Python was built without the ssl module")
    if context is True:
        context = ssl.create_default_context()
        context.check_hostname = bool(hostname)
    elif not isinstance(context, ssl.SSLContext):
        raise TypeError(f"{method}() takes an SSLContext for ssl, got {context!r}")
    return TlsOptions(
        context,
        server_side,
        None if server_side else hostname or None,
        HANDSHAKE_TIMEOUT_S if handshake_timeout is None else handshake_timeout,
        SHUTDOWN_TIMEOUT_S if shutdown_timeout is None else shutdown_timeout,
    )

"""Who may ask the studio for anything: a guard around the whole application.

Any page that is open in the same browser can send requests to localhost, and a hostile name server
can make its own name mean 127.0.0.1. So a request passes only if its host is on an exact list, if
it comes from the studio's own page, and if it carries the token that was printed at the start.
"""

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "Limits", "TooLargeError"]

# Nothing from elsewhere, no inline scripts, and the page in no frame.
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
SAFE_METHODS = {"GET", "HEAD"}


@dataclass(frozen=True)
class Limits:
    """The largest body of a request in bytes, by what its path ends with.

    Attributes:
        usual: of all other paths; JSON.
        image: of requests that carry images.
        upload: of whole data sets.
    """

    usual: int = 2**20
    image: int = 64 * 2**20
    upload: int = 2 * 2**30

    def of(self, path: str) -> int:
        """The limit for a path."""
        if path == "/api/uploads":
            return self.upload
        return self.image if path.endswith(("/translate", "/restore")) else self.usual


class TooLargeError(Exception):
    """A body is larger than its limit; the application answers it with the status 413."""


class Refusal(Exception):
    """A request is refused.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Guard:
    """Let only requests of the studio's own page and of holders of its token pass.

    Args:
        app: the application behind it.
        hosts: values of the header Host that are allowed, such as "127.0.0.1:8008".
        token: secret of this start of the studio.
        cookie: name of the cookie that keeps the token; it names the port, since browsers send
            the cookies of one port to all.
        limits: of bodies.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        token: str,
        cookie: str,
        limits: Limits | None = None,
    ):
        self.app = app
        self.hosts = frozenset(hosts)
        self.token = token
        self.cookie = cookie
        self.limits = limits or Limits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            await send({"type": "websocket.close", "code": 1008})
            return

        answer = _with_headers(send)
        try:
            headers = Headers(scope=scope)
            self.check_origin(scope["method"], headers)
            if self.is_entrance(scope):
                await self.let_in(answer)
                return
            self.check_token(headers)
            limit = self.limits.of(scope["path"])
            _check_length(headers, limit)
        except Refusal as refusal:
            await _refuse(answer, scope["path"], refusal)
            return

        # A body without a length is counted as it comes.
        await self.app(scope, _count_body(receive, limit), answer)

    def check_origin(self, method: str, headers: Headers) -> None:
        """Refuse other hosts, and pages of other origins.

        Raises:
            Refusal: 403 or 400.
        """
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            raise Refusal(403, "this host is not served; use the address that was printed")
        origins = headers.getlist("origin")
        if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
            raise Refusal(403, "requests from other pages are refused")
        # "none" is what a person types into the address bar.
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Refusal(403, "requests from other pages are refused")

        # What changes something must come from the page itself or carry the token openly.
        by_page = bool(origins) or headers.get("sec-fetch-site") == "same-origin"
        if method not in SAFE_METHODS and not by_page and "authorization" not in headers:
            raise Refusal(403, "it is not known from which page this request comes")

    def is_entrance(self, scope: Scope) -> bool:
        """Whether this is the address that was printed, with the right token."""
        if scope["path"] != "/" or scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return len(given) == 1 and self.is_token(given[0])

    async def let_in(self, send: Send) -> None:
        """Set the cookie, and lead on to the address without the token."""
        value = f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        headers = [(b"location", b"/"), (b"set-cookie", value.encode("latin-1"))]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def check_token(self, headers: Headers) -> None:
        """Refuse who has no token, neither in the cookie nor in `Authorization: Bearer TOKEN`.

        Raises:
            Refusal: 401.
        """
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        kept = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        if not (kind.lower() == "bearer" and self.is_token(bearer)) and not self.is_token(kept):
            raise Refusal(401, "open the address that `ganvas studio` printed, with its token")

    def is_token(self, given: str) -> bool:
        """Whether it is the token; takes equally long for every wrong one."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


def _with_headers(send: Send) -> Send:
    """Add the headers that every answer has."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
            message = {**message, "headers": headers.raw}
        await send(message)

    return send_with_headers


def _check_length(headers: Headers, limit: int) -> None:
    """Refuse a body that says itself that it is too large.

    Raises:
        Refusal: 413 or 400.
    """
    length = headers.get("content-length")
    if length is None:
        return
    if not length.isdecimal():
        raise Refusal(400, "the length of the request is not a number")
    if int(length) > limit:
        raise Refusal(413, f"the request is larger than {limit:,} bytes")


def _count_body(receive: Receive, limit: int) -> Receive:
    """Count a body as it comes, whatever it said about its length.

    Raises:
        TooLargeError: it is larger than the limit.
    """
    received = 0

    async def receive_counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLargeError(f"the request is larger than {limit:,} bytes")
        return message

    return receive_counted


async def _refuse(send: Send, path: str, refusal: Refusal) -> None:
    """Answer with the reason: as JSON for programs, as a line of text in a browser."""
    if path.startswith("/api/"):
        kind, body = "application/json", json.dumps({"error": str(refusal)})
    else:
        kind, body = "text/plain; charset=utf-8", f"Ganvas: {refusal}\n"
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    # The rest of a body that is not read would be taken for the next request.
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})

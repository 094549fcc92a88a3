"""A client of RedFlash for Python 3, and a handler for `logging`. Needs the standard library only.

    client = RedFlashClient("https://alerts.example.org", api_key)
    client.notify_group("ops", "Disk full on db1")
    client.fire_event("disk-full", host="db1", used="97 %")

    logging.getLogger().addHandler(RedFlashHandler(client, group="ops", level=logging.ERROR))
"""

import json
import logging
import queue
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

__all__ = ["Raised", "RedFlashClient", "RedFlashError", "RedFlashHandler", "Refused", "UnknownTarget", "Unreachable"]

# The client's own log records, which a RedFlashHandler never sends.
_log = logging.getLogger("redflash")


class RedFlashError(Exception):
    """An alert was not accepted.

    `status` is the HTTP status and `code` the server's reason, such as `no_recipients`; both are
    None if the server did not answer.
    """

    def __init__(self, message, status=None, code=None):
        super().__init__(message)
        self.status = status
        self.code = code


class Refused(RedFlashError):
    """The API key is invalid, disabled or not allowed to do this (403)."""


class UnknownTarget(RedFlashError):
    """The contact, group or event does not exist or is disabled (404)."""


class Unreachable(RedFlashError):
    """The server did not answer, so the alert may or may not have been accepted."""


class Raised:
    """An accepted alert.

    `status` is 201, or 202 if some member of a group cannot be reached; `notification_id` names it
    in the log; `queued` and `skipped` count its deliveries.
    """

    def __init__(self, status, answer):
        self.status = status
        self.notification_id = answer.get("notification_id")
        self.queued = answer.get("queued", 0)
        self.skipped = answer.get("skipped", 0)

    def __repr__(self):
        return f"Raised(status={self.status}, notification_id={self.notification_id!r})"


class RedFlashClient:
    """Raises alerts on a RedFlash server. Safe to share between threads.

    timeout: seconds that one request may take.
    retries: number of further requests if the server does not answer. Each call has an idempotency
        key, so an alert is never raised twice.
    context: the `ssl.SSLContext`, for a certificate authority of your own.
    """

    def __init__(self, rf_url, api_key, timeout=10.0, retries=2, context=None):
        if not api_key:
            raise ValueError("the API key is empty")
        self.rf_url = rf_url.rstrip("/")
        self._api_key = api_key
        self._timeout = timeout
        self._retries = retries
        self._opener = urllib.request.build_opener(_NoRedirects(), urllib.request.HTTPSHandler(context=context))

    def fire_event(self, slug, /, **data):
        """Fires an event with template arguments. Returns the HTTP status, 201 or 202."""
        return self.send("event", slug, data).status

    def notify_group(self, slug, message):
        """Sends a message to a group. Returns the HTTP status, 201 or 202."""
        return self.send("group", slug, {"message": message}).status

    def notify_contact(self, slug, message):
        """Sends a message to a contact. Returns the HTTP status, 201."""
        return self.send("contact", slug, {"message": message}).status

    def send(self, kind, slug, fields, idempotency_key=None):
        """Raises an alert at a `contact`, `group` or `event`. Returns a `Raised`.

        Raises `Refused`, `UnknownTarget` or `Unreachable`, and `RedFlashError` for anything else.
        """
        url = f"{self.rf_url}/{kind}/{urllib.parse.quote(slug, safe='')}"
        request = urllib.request.Request(url, data=json.dumps(fields, default=str).encode(), method="POST")
        request.add_header("Authorization", f"Bearer {self._api_key}")
        request.add_header("Content-Type", "application/json")
        request.add_header("Idempotency-Key", idempotency_key or uuid.uuid4().hex)
        for attempt in range(self._retries + 1):
            try:
                with self._opener.open(request, timeout=self._timeout) as response:
                    return Raised(response.status, _json(response))
            except urllib.error.HTTPError as error:
                with error:
                    raise _refusal(error.code, _json(error)) from None
            except OSError as error:
                if attempt == self._retries:
                    raise Unreachable(f"no answer from {self.rf_url}: {getattr(error, 'reason', error)}") from error
                time.sleep(min(0.2 * 2**attempt, 5.0))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Turns a redirect into an error: following it would send a GET and lose the alert."""

    def redirect_request(self, *_):
        return None


def _json(response):
    try:
        answer = json.loads(response.read())
    except (OSError, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(status, answer):
    kind = {403: Refused, 404: UnknownTarget}.get(status, RedFlashError)
    message = answer.get("message") or f"the server answered {status}"
    if answer.get("detail"):
        message = f"{message}: {answer['detail']}"
    return kind(message, status, answer.get("code"))


class RedFlashHandler(logging.Handler):
    """Raises an alert for each log record at or above a level.

    A thread sends the records, so logging never waits for the network. At most `per_minute` records
    are sent in a minute and `capacity` wait; those beyond are counted, and the next alert says how
    many were left out. Name one target: a group or contact gets the formatted record as its message;
    an event gets the arguments `message`, `level`, `logger`, `host`, `source` and `exception`.
    """

    def __init__(
        self, client, *, group=None, contact=None, event=None, level=logging.ERROR, per_minute=30, capacity=1000
    ):
        super().__init__(level)
        targets = [(kind, slug) for kind, slug in (("group", group), ("contact", contact), ("event", event)) if slug]
        if len(targets) != 1:
            raise ValueError("name one target: group, contact or event")
        self._client = client
        self._kind, self._slug = targets[0]
        self._per_minute = per_minute
        self._waiting = queue.Queue(capacity)
        self._counts = threading.Lock()
        self._sent_at = []
        self._left_out = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="redflash-logging", daemon=True)
        self._thread.start()

    def emit(self, record):
        """Queues a record. Never blocks and never raises."""
        if record.name == _log.name or threading.current_thread() is self._thread or self._closed:
            return
        try:
            fields = self._fields(record)
        except Exception:  # logging's own rule: report it, never break the program
            self.handleError(record)
            return
        if not self._admit():
            return
        try:
            self._waiting.put_nowait(fields)
        except queue.Full:
            with self._counts:
                self._left_out += 1

    def flush(self, timeout=5.0):
        """Waits until the queued records are sent. Returns False if the time was not enough."""
        with self._waiting.all_tasks_done:
            return self._waiting.all_tasks_done.wait_for(lambda: self._waiting.unfinished_tasks == 0, timeout)

    def close(self):
        """Sends the queued records for at most five seconds, and ends the thread."""
        if not self._closed:
            self._closed = True
            self.flush()
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                pass
        super().close()

    def _admit(self):
        now = time.monotonic()
        with self._counts:
            self._sent_at = [sent for sent in self._sent_at if now - sent < 60.0]
            if len(self._sent_at) < self._per_minute:
                self._sent_at.append(now)
                return True
            self._left_out += 1
            return False

    def _fields(self, record):
        if self._kind != "event":
            return {"message": self.format(record)}
        exception = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        return {
            "message": record.getMessage(),
            "level": record.levelname,
            "logger": record.name,
            "host": socket.gethostname(),
            "source": f"{record.pathname}:{record.lineno}",
            "exception": exception,
        }

    def _run(self):
        while (fields := self._waiting.get()) is not None:
            with self._counts:
                left_out, self._left_out = self._left_out, 0
            if left_out:
                fields["message"] += f"\n({left_out} more log records were left out)"
            try:
                self._client.send(self._kind, self._slug, fields)
            except RedFlashError as error:
                _log.warning("a log record was not sent to %s/%s: %s", self._kind, self._slug, error)
            finally:
                self._waiting.task_done()
        self._waiting.task_done()

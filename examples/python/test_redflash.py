"""Tests of the client and the log handler against a server on loopback."""

import http.server
import json
import logging
import re
import threading
import unittest

import redflash


class Server:
    """An HTTP server that records requests and answers as programmed, 201 by default."""

    def __init__(self):
        self.requests, self.answers = [], []
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                recorder.requests.append((self.path, dict(self.headers), json.loads(body)))
                answer = recorder.answers.pop(0) if recorder.answers else (201, {"notification_id": "ab", "queued": 1})
                if answer is None:
                    self.close_connection = True
                    return
                status, fields = answer[0], answer[1]
                self.send_response(status)
                for name, value in (answer[2] if len(answer) > 2 else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(fields).encode())

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Case(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.client = redflash.RedFlashClient(self.server.url + "/", "rfk_secret", retries=1)


class ClientTest(Case):
    def test_calls_of_the_old_client_return_the_status(self):
        self.assertEqual(self.client.notify_contact("ann", "hello"), 201)
        self.assertEqual(self.client.notify_group("ops", "hello"), 201)
        self.assertEqual(self.client.fire_event("disk-full", host="db1", slug="x"), 201)
        paths = [path for path, _, _ in self.server.requests]
        self.assertEqual(paths, ["/contact/ann", "/group/ops", "/event/disk-full"])
        self.assertEqual(self.server.requests[2][2], {"host": "db1", "slug": "x"})

    def test_key_goes_into_a_header_only(self):
        self.client.notify_contact("ann", "hello")
        path, headers, body = self.server.requests[0]
        self.assertEqual(headers["Authorization"], "Bearer rfk_secret")
        self.assertNotIn("rfk_secret", path + json.dumps(body))

    def test_refusals_say_the_reason(self):
        for status, error in ((403, redflash.Refused), (404, redflash.UnknownTarget), (500, redflash.RedFlashError)):
            self.server.answers.append((status, {"message": "No", "code": "why", "detail": "because"}))
            with self.assertRaises(error) as raised:
                self.client.fire_event("disk-full")
            self.assertEqual((raised.exception.status, raised.exception.code), (status, "why"))
            self.assertEqual(str(raised.exception), "No: because")

    def test_answer_that_is_lost_is_asked_for_again_with_the_same_key(self):
        self.server.answers.append(None)
        self.assertEqual(self.client.notify_group("ops", "hello"), 201)
        first, second = (headers["Idempotency-Key"] for _, headers, _ in self.server.requests)
        self.assertEqual(first, second)

    def test_server_that_never_answers_is_unreachable(self):
        self.server.answers.extend([None, None])
        with self.assertRaises(redflash.Unreachable):
            self.client.notify_group("ops", "hello")
        self.assertEqual(len(self.server.requests), 2)

    def test_redirect_is_an_error(self):
        self.server.answers.append((302, {}, {"Location": self.server.url}))
        with self.assertRaises(redflash.RedFlashError):
            self.client.notify_group("ops", "hello")
        self.assertEqual(len(self.server.requests), 1)

    def test_slug_cannot_leave_its_path(self):
        self.client.notify_contact("../event/x?y", "hello")
        self.assertEqual(self.server.requests[0][0], "/contact/..%2Fevent%2Fx%3Fy")

    def test_empty_key_is_refused(self):
        with self.assertRaises(ValueError):
            redflash.RedFlashClient(self.server.url, "")


class HandlerTest(Case):
    def logger(self, **options):
        handler = redflash.RedFlashHandler(self.client, **options)
        self.addCleanup(handler.close)
        logger = logging.Logger("app")
        logger.addHandler(handler)
        return logger, handler

    def test_record_goes_to_the_group_as_its_message(self):
        logger, handler = self.logger(group="ops")
        logger.info("fine")
        logger.error("disk %s", "full")
        self.assertTrue(handler.flush())
        sent = [(path, body) for path, _, body in self.server.requests]
        self.assertEqual(sent, [("/group/ops", {"message": "disk full"})])

    def test_event_gets_the_parts_of_the_record(self):
        logger, handler = self.logger(event="crash")
        try:
            raise OSError("gone")
        except OSError:
            logger.exception("failed")
        self.assertTrue(handler.flush())
        body = self.server.requests[0][2]
        self.assertEqual((body["message"], body["level"], body["logger"]), ("failed", "ERROR", "app"))
        self.assertIn("OSError: gone", body["exception"])

    def test_flood_is_cut_and_counted(self):
        logger, handler = self.logger(contact="ann", per_minute=2)
        for number in range(10):
            logger.error("%d", number)
        handler._sent_at = []  # a minute later
        logger.error("later")
        self.assertTrue(handler.flush())
        self.assertEqual(len(self.server.requests), 3)
        texts = [body["message"] for _, _, body in self.server.requests]
        found = (re.search(r"\((\d+) more log records were left out", text) for text in texts)
        counts = [int(count[1]) for count in found if count]
        self.assertEqual(sum(counts), 8)

    def test_refused_record_does_not_disturb_the_program(self):
        logger, handler = self.logger(group="ops")
        self.server.answers.append((403, {"message": "Invalid API key for operation"}))
        with self.assertLogs("redflash", "WARNING"):
            logger.error("disk full")
            self.assertTrue(handler.flush())

    def test_needs_one_target(self):
        for targets in ({}, {"group": "a", "event": "b"}):
            with self.assertRaises(ValueError):
                redflash.RedFlashHandler(self.client, **targets)


if __name__ == "__main__":
    unittest.main()

"""A mail server of other hands: aiosmtpd, on a port of the system's choice.

Arguments: certificate, key, "starttls" or "tls", name, password. Prints the port, then each mail
that arrives as a line of JSON.
"""

import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

certificate, key, tls, name, password = sys.argv[1:]


class Printer:
    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "login": session.auth_data,
            "tls": session.ssl is not None or tls == "tls",
            "text": envelope.content.decode(),
        }
        print(json.dumps(mail), flush=True)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    given = (data.login.decode(), data.password.decode())
    return AuthResult(success=given == (name, password), auth_data=given[0])


class OnAnyPort(Controller):
    """aiosmtpd connects to its own port to see that it is up; port 0 has to be looked up first."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(certificate, key)
options = {"authenticator": authenticate, "auth_required": True}
if tls == "tls":
    # The library wants STARTTLS before a login unless it knows of an existing TLS connection.
    options |= {"ssl_context": context, "auth_require_tls": False}
else:
    options |= {"tls_context": context, "require_starttls": True}
controller = OnAnyPort(Printer(), hostname="127.0.0.1", port=0, **options)
controller.start()
print(controller.port, flush=True)
sys.stdin.read()
controller.stop()

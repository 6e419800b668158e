# Receive webhooks, and take those alone that the directory signed. KAPDIR_WEBHOOK_SECRET is the secret, whsec_…
import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

key = base64.b64decode(os.environ["KAPDIR_WEBHOOK_SECRET"].removeprefix("whsec_"), validate=True)


def verified(headers, body):
    """Was it signed with the secret less than five minutes ago?"""
    at = headers.get("webhook-timestamp", "")
    if not at.isdecimal() or abs(time.time() - int(at)) > 300:
        return False
    signed = f"{headers.get('webhook-id', '')}.{at}.".encode() + body
    want = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    signatures = headers.get("webhook-signature", "").encode().split()  # several while a secret is replaced
    return any(hmac.compare_digest(want, got) for got in signatures)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("content-length", 0)), 1 << 20))
        if not verified(self.headers, body):
            self.send_response(400)
        else:
            # Put it into a queue of your own here, under its webhook-id: the same may come twice.
            print(json.loads(body)["type"], self.headers["webhook-id"], flush=True)
            self.send_response(204)
        self.end_headers()


ThreadingHTTPServer(("localhost", int(os.environ["PORT"])), Receiver).serve_forever()

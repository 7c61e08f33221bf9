"""An SMTP server that notes each message's id in a file before it says that it took it.

``python -m bench._mail_sink PORT FILE``; it may be killed at any moment: what it said it took is in the file.
"""

from __future__ import annotations

import os
import socketserver
import sys


class _Dialogue(socketserver.StreamRequestHandler):
    file: int

    def handle(self) -> None:
        self.wfile.write(b"220 sink\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                if not self._take():
                    return
                self.wfile.write(b"250 2.0.0 taken\r\n")
            elif verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")

    def _take(self) -> bool:
        told = b""
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            if line[:11].lower() == b"message-id:":
                told = line[11:].strip()
        os.write(self.file, told + b"\n")
        return True


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, _request: object, _address: object) -> None:
        """A client that goes away is no news."""


def main() -> None:
    """Serve until killed."""
    port, path = int(sys.argv[1]), sys.argv[2]
    _Dialogue.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with _Server(("127.0.0.1", port), _Dialogue) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()

"""A machine behind a socket that lets its host compile: for each line "/compile SIZE" it sends a
request, fetches the answer, and prints its checksum. Its last argument is a file for what it heard
of the host besides."""

import base64
import socket
import sys
from pathlib import Path

from fake_guest import emit
from fluid.compile_server import checksum
from fluid.jitlayout import Request, pack_request

STEP = 768


class Client:
    """One connection."""

    def __init__(self, channel: socket.socket, heard: Path) -> None:
        self._channel = channel
        self._heard = heard
        self._id = 0
        self._answer = bytearray()

    def run(self) -> None:
        """Until the other end is closed. Records come between bytes of lines."""
        line, record = bytearray(), None
        while data := self._channel.recv(65536):
            for byte in data:
                if byte == 0x1E:
                    record = bytearray()
                elif byte == 0x00:
                    record = None
                elif record is not None and byte == 0x0A:
                    self._take(record.decode().split(" "))
                    record = None
                elif record is not None:
                    record.append(byte)
                elif byte == 0x0D:
                    self._answer_line(bytes(line).lstrip(b"\x15"))
                    line.clear()
                else:
                    line.append(byte)

    def _say(self, text: str) -> None:
        self._channel.sendall(text.encode())

    def _prompt(self) -> None:
        emit(self._channel, "prompt")
        self._say("> ")

    def _answer_line(self, line: bytes) -> None:
        self._say(f"{line.decode()}\r\n")
        if not line.startswith(b"/compile"):
            self._prompt()
            return
        self._id += 1
        self._answer.clear()
        size = int(line.split()[1])
        request = Request(bytes(size), "echo", "x86-64", 62, features=(), entries=())
        data = pack_request(request)
        for at in range(0, len(data), STEP):
            check = {"check": checksum(data)} if at == 0 else {}
            text = base64.b64encode(data[at : at + STEP]).decode()
            emit(
                self._channel, "compile", id=self._id, size=len(data), offset=at, b64=text, **check
            )
            self._say(".")

    def _take(self, words: list[str]) -> None:
        if words[0] != "R":
            with self._heard.open("a") as file:
                print(words[0], file=file)
            return
        self._answer += base64.b64decode(words[5])
        if len(self._answer) < int(words[2]):
            emit(self._channel, "compile_next", id=self._id, offset=len(self._answer))
            return
        assert checksum(self._answer) == words[3]
        self._say(f"\r\n{len(self._answer)} {words[3]}\r\n")
        self._prompt()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as connected:
        Client(connected, Path(sys.argv[2])).run()

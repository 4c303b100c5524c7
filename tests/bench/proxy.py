"""Stands between a client and an AWS endpoint: delays each call by the same time, and keeps it."""
import asyncio
import re
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import unquote_plus, urlsplit


@dataclass
class Call:
    """One request and its answer."""

    service: str
    operation: str
    request: str
    answer: str
    began: float
    ended: float
    reads: bool = field(init=False)

    def __post_init__(self):
        self.reads = bool(re.match(r"(Describe|List|Get|Simulate|Decode|GET )", self.operation))


class Proxy:
    """On a free port of loopback, in a thread of its own."""

    def __init__(self, endpoint, delay):
        self.to = urlsplit(endpoint)
        self.delay = delay
        self.calls = []
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        upstream = None
        try:
            upstream = await asyncio.open_connection(self.to.hostname, self.to.port)
            while (request := await message(reader)) is not None:
                began = time.monotonic()
                await asyncio.sleep(self.delay)
                upstream[1].write(b"".join(request))
                answer = await message(upstream[0])
                if answer is None:
                    break
                writer.write(b"".join(answer))
                await writer.drain()
                self.calls.append(kept(request, answer, began))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a client that has ended, as each does
        finally:
            writer.close()
            if upstream:
                upstream[1].close()

    def take(self):
        """The calls so far, in the order in which they began; the next ones are counted anew."""
        calls, self.calls = self.calls, []
        return sorted(calls, key=lambda call: call.began)


async def message(reader):
    """Head and body of one HTTP message; None: there is no more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head, await reader.readexactly(int(length[1])) if length else b""


def kept(request, answer, began):
    head, body = request[0].decode("latin-1"), request[1].decode("utf-8", "replace")
    method, path = head.split(" ", 2)[:2]
    signed = re.search(r"(?i)credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", head)
    action = re.search(r"(?:^|&)Action=(\w+)", body)
    target = re.search(r"(?i)\r\nx-amz-target: *\w+\.(\w+)", head)
    by_path = re.search(r"/operation/(\w+)", path)
    named = action or target or by_path
    return Call(
        service=signed[1] if signed else "",
        operation=named[1] if named else f"{method} {path.split('?')[0]}",
        request=unquote_plus(f"{path} {body}"),
        answer=answer[1].decode("utf-8", "replace"),
        began=began,
        ended=time.monotonic(),
    )

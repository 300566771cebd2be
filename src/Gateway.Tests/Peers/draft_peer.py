"""A socket of libzmq's draft API for the interop tests: draft_peer.py TYPE bind|connect ENDPOINT.

The library is the one inside npm zeromq: its JavaScript knows neither PEER nor CHANNEL nor a reply by routing id on a PEER, its C functions do.
Prints "ready ENDPOINT", then what arrives: "got GROUP-OR-EMPTY SIZE SHA256". SERVER, PEER and CHANNEL return what they get when they are bound; CLIENT,
PEER and CHANNEL ask when they connect; SCATTER sends the bodies once, RADIO again and again, to the groups "weather" and "weather.oslo".
"""
import ctypes
import glob
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

TYPES = {"SERVER": 12, "CLIENT": 13, "RADIO": 14, "DISH": 15, "GATHER": 16, "SCATTER": 17, "PEER": 19, "CHANNEL": 20}
LAST_ENDPOINT, LINGER, ROUTED = 32, 17, ("SERVER", "PEER")
BODIES = [bytes(i % 251 for i in range(size)) for size in (0, 1, 255, 256, 8000)]
LARGE = bytes(i % 251 for i in range(1 << 20))


def library():
    """Node's own functions are missing outside of node; nothing here calls them, so empty ones will do."""
    machine = "arm64" if os.uname().machine == "aarch64" else "x64"
    here = os.path.dirname(os.path.abspath(__file__))
    for addon in sorted(glob.glob(f"{here}/node_modules/zeromq/build/linux/{machine}/node/*/addon.node")):
        with open(addon, "rb") as file:
            names = set(re.findall(rb"\0((?:napi|node|uv)_\w+)(?=\0)", file.read()))
        with tempfile.TemporaryDirectory() as folder:
            empty = folder + "/empty.so"
            source = b"".join(b'extern "C" void %s() {}\n' % name for name in names)
            subprocess.run(["g++", "-shared", "-fPIC", "-x", "c++", "-", "-o", empty], input=source, check=True)
            ctypes.CDLL(empty, ctypes.RTLD_GLOBAL)
        try:
            loaded = ctypes.CDLL(addon)
            # Some of the builds have no draft functions.
            if hasattr(loaded, "zmq_connect_peer"):
                return loaded
        except OSError as e:
            # Built for another C library, or another machine.
            print(e, file=sys.stderr)
    raise SystemExit("No addon of npm zeromq can be loaded.")


ZMQ = library()
for function in ("zmq_ctx_new", "zmq_socket", "zmq_msg_data"):
    getattr(ZMQ, function).restype = ctypes.c_void_p
ZMQ.zmq_msg_size.restype = ctypes.c_size_t
ZMQ.zmq_msg_group.restype = ctypes.c_char_p
ZMQ.zmq_msg_routing_id.restype = ctypes.c_uint32
ZMQ.zmq_connect_peer.restype = ctypes.c_uint32
ZMQ.zmq_strerror.restype = ctypes.c_char_p


def check(result):
    if result < 0:
        raise OSError(ZMQ.zmq_strerror(ZMQ.zmq_errno()).decode())
    return result


def say(text):
    print(text, flush=True)


class Socket:
    def __init__(self, kind):
        self.handle = ctypes.c_void_p(ZMQ.zmq_socket(ctypes.c_void_p(ZMQ.zmq_ctx_new()), TYPES[kind]))
        zero = ctypes.c_int(0)
        check(ZMQ.zmq_setsockopt(self.handle, LINGER, ctypes.byref(zero), ctypes.c_size_t(4)))

    def send(self, body, routing_id=0, group=None):
        message = (ctypes.c_uint64 * 8)()
        check(ZMQ.zmq_msg_init_size(message, ctypes.c_size_t(len(body))))
        ctypes.memmove(ZMQ.zmq_msg_data(message), body, len(body))
        if routing_id:
            check(ZMQ.zmq_msg_set_routing_id(message, ctypes.c_uint32(routing_id)))
        if group is not None:
            check(ZMQ.zmq_msg_set_group(message, group))
        check(ZMQ.zmq_msg_send(message, self.handle, 0))

    def receive(self):
        message = (ctypes.c_uint64 * 8)()
        check(ZMQ.zmq_msg_init(message))
        check(ZMQ.zmq_msg_recv(message, self.handle, 0))
        body = ctypes.string_at(ZMQ.zmq_msg_data(message), ZMQ.zmq_msg_size(message))
        result = body, ZMQ.zmq_msg_routing_id(message), ZMQ.zmq_msg_group(message).decode()
        check(ZMQ.zmq_msg_close(message))
        return result

    def last_endpoint(self):
        text, size = ctypes.create_string_buffer(256), ctypes.c_size_t(256)
        check(ZMQ.zmq_getsockopt(self.handle, LAST_ENDPOINT, text, ctypes.byref(size)))
        return text.value.decode()


def serve(socket, kind, binds, peer):
    if kind == "RADIO":
        while True:
            for body in BODIES:
                for group in (b"weather", b"weather.oslo"):
                    socket.send(body, group=group)
            time.sleep(0.02)
    if kind == "SCATTER":
        for body in BODIES + [LARGE]:
            socket.send(body)
    elif kind == "CLIENT" or (kind in ("PEER", "CHANNEL") and not binds):
        for body in BODIES + [LARGE]:
            socket.send(body, routing_id=peer)
            answer = socket.receive()[0]
            say("ok" if answer == body else f"sent {len(body)} bytes, got {len(answer)}")
    else:
        while True:
            body, routing_id, group = socket.receive()
            if kind in ("DISH", "GATHER"):
                say(f"got {group} {len(body)} {hashlib.sha256(body).hexdigest()}")
            else:
                socket.send(body, routing_id=routing_id)
    threading.Event().wait()


def main():
    kind, role, endpoint = sys.argv[1:4]
    socket, peer = Socket(kind), 0
    if kind == "DISH":
        check(ZMQ.zmq_join(socket.handle, b"weather"))
    if role == "bind":
        check(ZMQ.zmq_bind(socket.handle, endpoint.encode()))
    elif kind == "PEER":
        peer = ZMQ.zmq_connect_peer(socket.handle, endpoint.encode())
    else:
        check(ZMQ.zmq_connect(socket.handle, endpoint.encode()))
    # The test is the parent: when it is gone, nobody reads and nobody ends us.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    say("ready " + (socket.last_endpoint() if role == "bind" and not endpoint.startswith("udp") else endpoint))
    serve(socket, kind, role == "bind", peer)


main()

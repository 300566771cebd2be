"""A libzmq socket for the interop tests: peer.py TYPE bind|connect ENDPOINT [HEARTBEAT_MS].

Prints "ready ENDPOINT" when bound or connected. REP, ROUTER, PAIR and STREAM return what they get; PULL and SUB print "got SIZES SHA256" for each
message; PUSH sends the standard messages once; PUB sends them again and again; REQ and DEALER send them and print "ok" when the same came back. STEER
is a PAIR that sends the further arguments to a steerable proxy. CALLS is a DEALER that sends an envelope without a body, then twenty requests at once,
each with an envelope, and prints "reply FRAMES" for what comes back. See secure() for PLAIN and CURVE.
"""
import hashlib
import itertools
import os
import sys
import threading
import time

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator


def body(size):
    return bytes(i % 251 for i in range(251)) * (size // 251) + bytes(range(size % 251))


STANDARD = [[body(size) for size in sizes] for sizes in ([0], [1], [255], [256], [0, 255, 256], [3, 0, 70_000], [8 << 20])]


def describe(frames):
    return "/".join(str(len(frame)) for frame in frames) + " " + hashlib.sha256(b"".join(frames)).hexdigest()


def say(text):
    print(text, flush=True)


def serve(socket, kind):
    if kind in ("REP", "ROUTER", "PAIR"):
        while True:
            socket.send_multipart(socket.recv_multipart())
    if kind == "STREAM":
        while True:
            connection, data = socket.recv_multipart()
            # Without data it is a beginning or an end, and sent back it would close the connection.
            if data:
                socket.send_multipart([connection, data])
    if kind in ("PULL", "SUB"):
        while True:
            say("got " + describe(socket.recv_multipart()))
    if kind == "STEER":
        for command in sys.argv[4:]:
            socket.send(command.encode())
            if command == "STATISTICS":
                say("statistics " + " ".join(str(int.from_bytes(frame, sys.byteorder)) for frame in socket.recv_multipart()))
    if kind == "CALLS":
        socket.send(b"")
        for i in range(20):
            socket.send_multipart([b"", b"request %d" % i])
        while True:
            say("reply " + "|".join(frame.decode() for frame in socket.recv_multipart()))
    if kind == "PUSH":
        for message in STANDARD:
            socket.send_multipart(message)
    if kind == "PUB":
        for i in itertools.count():
            for message in STANDARD if i % 20 == 0 else STANDARD[:-1]:
                socket.send_multipart(message)
            time.sleep(0.05)
    if kind in ("REQ", "DEALER"):
        for message in STANDARD:
            socket.send_multipart(message)
            answer = socket.recv_multipart()
            say("ok" if answer == message else f"sent {describe(message)}, got {describe(answer)}")
    threading.Event().wait()


# They stop when nobody holds them.
authenticators = []


def secure(socket):
    """PEER_SECURITY: plain-client USER PASSWORD | plain-server USER PASSWORD | curve-client SERVER_KEY [PUBLIC_KEY SECRET_KEY] | curve-server SECRET_KEY."""
    role, *values = os.environ.get("PEER_SECURITY", "none").split()
    if role == "plain-client":
        socket.plain_username, socket.plain_password = (value.encode() for value in values)
    elif role == "curve-client":
        socket.curve_serverkey = values[0].encode()
        socket.curve_publickey, socket.curve_secretkey = (value.encode() for value in values[1:]) if values[1:] else zmq.curve_keypair()
    elif role in ("plain-server", "curve-server"):
        authenticator = ThreadAuthenticator(socket.context)
        authenticators.append(authenticator)
        authenticator.start()
        if role == "plain-server":
            authenticator.configure_plain(domain="*", passwords={values[0]: values[1]})
            socket.plain_server = True
        else:
            authenticator.configure_curve(domain="*", location=zmq.auth.CURVE_ALLOW_ANY)
            socket.curve_secretkey = values[0].encode()
            socket.curve_server = True


def main():
    kind, role, endpoint = sys.argv[1:4]
    socket = zmq.Context().socket(getattr(zmq, {"STEER": "PAIR", "CALLS": "DEALER"}.get(kind, kind)))
    socket.linger = 0
    if kind != "STEER" and len(sys.argv) > 4:
        socket.setsockopt(zmq.HEARTBEAT_IVL, int(sys.argv[4]))
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 40 * int(sys.argv[4]))
        socket.setsockopt(zmq.HEARTBEAT_TTL, 40 * int(sys.argv[4]))
    secure(socket)
    if kind == "SUB":
        socket.subscribe(b"")
    getattr(socket, role)(endpoint)
    # The test is the parent: when it is gone, nobody reads and nobody ends us.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    say("ready " + (socket.last_endpoint.decode().rstrip("\0") if role == "bind" else endpoint))
    serve(socket, kind)


main()

"""libzmq sockets for the interop matrix, many cases in one process.

A line on stdin is a case as JSON: type, role (bind or connect), endpoint, flow, peer (the type at the other end), sizes (frame sizes of each
message), and for PLAIN and CURVE security: [mechanism, "server" or "client", key]. The answers are lines:
"ready ENDPOINT", then "got SIZES SHA256" for each message that counts, then "done"; or "failed WHY". The line "end" closes the socket.

Flows: echo returns what comes, ask sends each message and takes it back, collect takes them, send sends them. A PUB, which is not told
of its subscribers, sends "sync" until it is told "go"; who collects from a PUB leaves "sync" out.
"""
import hashlib
import json
import os
import queue
import sys
import threading

import zmq

SYNC = [b"sync"]


def body(size):
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


def describe(frames):
    return "/".join(str(len(frame)) for frame in frames) + " " + hashlib.sha256(b"".join(frames)).hexdigest()


def say(text):
    print(text, flush=True)


def read(lines):
    for line in sys.stdin:
        lines.put(line.strip())
    # The test is the parent: when it is gone, nobody ends us.
    os._exit(0)


def secure(socket, mechanism, role, key):
    if mechanism == "plain":
        if role == "server":
            socket.plain_server = True
        else:
            socket.plain_username, socket.plain_password = b"joe", b"secret"
    elif role == "server":
        socket.curve_secretkey = key.encode()
        socket.curve_server = True
    else:
        socket.curve_serverkey = key.encode()
        socket.curve_publickey, socket.curve_secretkey = KEYS


def authenticate(context):
    """libzmq's PLAIN server asks a ZAP handler. It names no user: libzmq's REQ takes the name for a reply without delimiter and closes."""
    handler = context.socket(zmq.REP)
    handler.bind("inproc://zeromq.zap.01")
    while True:
        version, request, _, _, _, mechanism, *credentials = handler.recv_multipart()
        known = mechanism == b"CURVE" or credentials == [b"joe", b"secret"]
        handler.send_multipart([version, request, b"200" if known else b"400", b"", b"", b""])


def ask(socket, messages, delimiter):
    for message in messages:
        socket.send_multipart(delimiter + message)
        answer = socket.recv_multipart()
        if answer[:len(delimiter)] != delimiter:
            raise ValueError("the answer has no delimiter")
        say("got " + describe(answer[len(delimiter):]))


def echo(socket, messages):
    for _ in messages:
        socket.send_multipart(socket.recv_multipart())


def collect(socket, messages):
    left = len(messages)
    while left > 0:
        message = socket.recv_multipart()
        if message == SYNC:
            continue
        say("got " + describe(message))
        left -= 1


def send(socket, kind, messages, lines):
    if kind == "XPUB" and socket.recv() != b"\1":
        raise ValueError("that was no subscription")
    while kind == "PUB":
        socket.send_multipart(SYNC)
        try:
            if lines.get(timeout=0.002) == "go":
                break
        except queue.Empty:
            pass
    for message in messages:
        socket.send_multipart(message)


def run(case, lines, context):
    kind = case["type"]
    messages = [[body(size) for size in sizes] for sizes in case["sizes"]]
    socket = context.socket(getattr(zmq, kind))
    try:
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = 10_000
        if kind in ("ROUTER", "REQ", "DEALER"):
            socket.routing_id = b"theirs"
        if case.get("security"):
            secure(socket, *case["security"])
        if kind == "SUB":
            socket.subscribe(b"")
        getattr(socket, case["role"])(case["endpoint"])
        if kind == "XSUB":
            socket.send(b"\1")
        say("ready " + (socket.last_endpoint.decode().rstrip("\0") if case["role"] == "bind" else case["endpoint"]))
        flow = case["flow"]
        if flow == "ask":
            ask(socket, messages, [b""] if (kind, case["peer"]) == ("DEALER", "REP") else [])
        elif flow == "echo":
            echo(socket, messages)
        elif flow == "collect":
            collect(socket, messages)
        else:
            send(socket, kind, messages, lines)
        say("done")
        while lines.get() != "end":
            pass
    finally:
        socket.close()


def main():
    context = zmq.Context()
    threading.Thread(target=authenticate, args=(context,), daemon=True).start()
    lines = queue.Queue()
    threading.Thread(target=read, args=(lines,), daemon=True).start()
    say(f"versions libzmq {zmq.zmq_version()} by pyzmq {zmq.pyzmq_version()}")
    while True:
        line = lines.get()
        if line == "end":
            # Of a case that failed here; its test ends it nevertheless.
            continue
        try:
            run(json.loads(line), lines, context)
        except Exception as error:
            say(f"failed {type(error).__name__} {error}")


KEYS = zmq.curve_keypair()
main()

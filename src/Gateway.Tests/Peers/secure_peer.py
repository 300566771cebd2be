"""libzmq sockets for the tests of security: secure_peer.py ROLE ENDPOINT ...

refuse ENDPOINT plain|curve STATUS SECRET_KEY|-  binds a REP whose ZAP handler answers with STATUS; "asked MECHANISM" for each request
client ENDPOINT null|plain|curve SERVER_KEY|-    connects a REQ and prints what its monitor tells of the handshake: "EVENT VALUE"
flood ENDPOINT SERVER_KEY COUNT SIZE             connects a CURVE PUSH; "stalled" at its high-water mark, "sent" at the end
drain ENDPOINT SERVER_KEY COUNT                  connects a CURVE PULL that takes nothing before a line comes in; "got COUNT" at the end
keys ENDPOINT SERVER_KEY CERTIFICATE             connects a CURVE REQ with the keys of a certificate, asks once and prints the answer
"""
import os
import sys
import threading

import zmq
import zmq.auth
from zmq.utils import monitor

EVENTS = {getattr(zmq, name): name[len("EVENT_"):] for name in dir(zmq) if name.startswith("EVENT_HANDSHAKE_")}


def say(text):
    print(text, flush=True)


def numbered(number, size):
    return number.to_bytes(4, "big") + bytes(size - 4)


def answer_zap(socket, status):
    while True:
        version, request, domain, address, identity, mechanism, *credentials = socket.recv_multipart()
        say("asked " + mechanism.decode())
        socket.send_multipart([version, request, status, b"words for the log", b"joe" if status == b"200" else b"", b""])


def curve_client(socket, server_key, certificate=None):
    socket.curve_serverkey = server_key.encode()
    socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(certificate) if certificate else zmq.curve_keypair()


def refuse(context, endpoint, mechanism, status, secret):
    handler = context.socket(zmq.REP)
    handler.bind("inproc://zeromq.zap.01")
    threading.Thread(target=answer_zap, args=(handler, status.encode()), daemon=True).start()
    socket = context.socket(zmq.REP)
    if mechanism == "plain":
        socket.plain_server = True
    else:
        socket.curve_secretkey = secret.encode()
        socket.curve_server = True
    socket.bind(endpoint)
    say("ready " + socket.last_endpoint.decode().rstrip("\0"))
    socket.recv()


def client(context, endpoint, mechanism, server_key):
    socket = context.socket(zmq.REQ)
    if mechanism == "plain":
        socket.plain_username, socket.plain_password = b"joe", b"secret"
    if mechanism == "curve":
        curve_client(socket, server_key)
    events = socket.get_monitor_socket()
    socket.connect(endpoint)
    say("ready " + endpoint)
    while True:
        event = monitor.recv_monitor_message(events)
        if event["event"] in EVENTS:
            say(f"{EVENTS[event['event']]} {event['value']}")


def flood(context, endpoint, server_key, count, size):
    socket = context.socket(zmq.PUSH)
    curve_client(socket, server_key)
    socket.connect(endpoint)
    say("ready " + endpoint)
    stalled = False
    for number in range(int(count)):
        try:
            # Before the handshake there is nothing to send to either; its end is waited for.
            socket.send(numbered(number, int(size)), zmq.NOBLOCK if number else 0)
        except zmq.Again:
            if not stalled:
                say("stalled")
            stalled = True
            socket.send(numbered(number, int(size)))
    say("sent")
    threading.Event().wait()


def drain(context, endpoint, server_key, count):
    socket = context.socket(zmq.PULL)
    socket.rcvhwm = 10
    curve_client(socket, server_key)
    socket.connect(endpoint)
    say("ready " + endpoint)
    sys.stdin.readline()
    for number in range(int(count)):
        got = int.from_bytes(socket.recv()[:4], "big")
        if got != number:
            say(f"got {got} instead of {number}")
    say(f"got {count}")
    threading.Event().wait()


def keys(context, endpoint, server_key, certificate):
    socket = context.socket(zmq.REQ)
    curve_client(socket, server_key, certificate)
    socket.connect(endpoint)
    say("ready " + endpoint)
    socket.send(b"hello")
    say(socket.recv().decode())
    threading.Event().wait()


def main():
    role, endpoint, *rest = sys.argv[1:]
    if role != "drain":
        # The test is the parent: when it is gone, nobody reads and nobody ends us.
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    globals()[role](zmq.Context(), endpoint, *rest)


main()

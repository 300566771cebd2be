"""One libzmq socket that does what the test says: socket_driver.py TYPE.

Each line of the input is a JSON array, an action and its arguments; each line of the output is its result, {"ok": value} or
{"error": "EAGAIN"}. Frames are hexadecimal.
"""
import errno
import json
import sys

import zmq

context = zmq.Context()
socket = context.socket(getattr(zmq, sys.argv[1]))
socket.linger = 0


def value_of(value):
    return bytes.fromhex(value) if isinstance(value, str) else value


def bind(endpoint):
    socket.bind(endpoint)
    return socket.last_endpoint.decode().rstrip("\0")


def connect(endpoint):
    # pyzmq answers with an object that is no JSON.
    socket.connect(endpoint)


def receive(milliseconds):
    if not socket.poll(milliseconds):
        return None
    return [frame.hex() for frame in socket.recv_multipart()]


def wait(kind, milliseconds):
    """Waits for a readable or writable socket."""
    return bool(socket.poll(milliseconds, getattr(zmq, kind)))


def properties(milliseconds, names):
    """Receives a message and looks its sender's properties up."""
    if not socket.poll(milliseconds):
        return None
    frame = socket.recv(copy=False)
    found = {}
    for name in names:
        try:
            found[name] = frame.get(name)
        except zmq.ZMQError:
            found[name] = None
    return found


def flood(frame, count):
    """Sends messages without waiting until one is refused; returns how many were taken."""
    for i in range(count):
        try:
            socket.send(bytes.fromhex(frame), zmq.NOBLOCK)
        except zmq.Again:
            return i
    return count


def numbers(count):
    """Sends so many messages, each with its number."""
    for i in range(count):
        socket.send(str(i).encode())


def count(milliseconds):
    """Counts what comes until nothing has come for a while."""
    found = 0
    while socket.poll(milliseconds):
        socket.recv_multipart()
        found += 1
    return found


ACTIONS = {
    "set": lambda option, value: socket.setsockopt(getattr(zmq, option) if isinstance(option, str) else option, value_of(value)),
    "bind": bind,
    "unbind": lambda endpoint: socket.unbind(endpoint),
    "connect": connect,
    "disconnect": lambda endpoint: socket.disconnect(endpoint),
    "send": lambda *frames: socket.send_multipart([bytes.fromhex(frame) for frame in frames], zmq.NOBLOCK),
    "receive": receive,
    "wait": wait,
    "properties": properties,
    "flood": flood,
    "numbers": numbers,
    "count": count,
}

print(json.dumps({"ok": None}), flush=True)
for line in sys.stdin:
    action, *arguments = json.loads(line)
    try:
        result = {"ok": ACTIONS[action](*arguments)}
    except zmq.ZMQError as e:
        result = {"error": errno.errorcode.get(e.errno) or {zmq.EFSM: "EFSM", zmq.EHOSTUNREACH: "EHOSTUNREACH"}.get(e.errno, str(e.errno))}
    print(json.dumps(result), flush=True)

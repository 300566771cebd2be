#!/usr/bin/python3
"""A REP service that adds: {"a": 2, "b": 40} is answered with {"sum": 42}.

The reply has two frames, an HTTP status and a JSON text. Gateway's route says so with "Reply": ["{status}", "{body}"].
"""
import argparse
import json

import zmq


def is_number(value: object) -> bool:
    # In Python a bool is an int; JSON texts may hold numbers that a sum cannot (1e999), and NaN fails every comparison.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 1e300


def answer(request: bytes) -> tuple[bytes, dict]:
    """Returns the status and the reply's object."""
    try:
        numbers = json.loads(request)
    except (ValueError, RecursionError) as error:
        return b"400", {"error": f"the request is not JSON: {error}"}
    if not isinstance(numbers, dict):
        return b"400", {"error": 'the request must be an object such as {"a": 2, "b": 40}'}
    for name in ("a", "b"):
        if not is_number(numbers.get(name)):
            return b"400", {"error": f"{name} must be a number, not {json.dumps(numbers.get(name))}"}
    return b"200", {"sum": numbers["a"] + numbers["b"]}


def main() -> None:
    parser = argparse.ArgumentParser(description="Adds two numbers.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--bind", default="tcp://127.0.0.1:5555", help="endpoint to bind (default: %(default)s)")
    where.add_argument("--connect", help="endpoint to connect to instead")
    arguments = parser.parse_args()

    socket = zmq.Context.instance().socket(zmq.REP)
    if arguments.connect:
        socket.connect(arguments.connect)
    else:
        socket.bind(arguments.bind)
    print("ready", socket.getsockopt_string(zmq.LAST_ENDPOINT), flush=True)

    while True:
        # What a client sends, UTF-8 or not, is answered and never ends the service.
        status, reply = answer(socket.recv_multipart()[-1])
        socket.send_multipart([status, json.dumps(reply).encode()])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass

#!/usr/bin/python3
"""A worker that connects to Gateway: REP for calls, PULL for jobs. Start as many as you like, whenever you like.

A call with a text is answered with {"worker": name, "words": how many}; a job is printed.
"""
import argparse
import json
import os

import zmq


def main() -> None:
    parser = argparse.ArgumentParser(description="Counts words for callers and prints jobs.")
    parser.add_argument("--connect", default="tcp://127.0.0.1:5558", help="where Gateway binds for calls (default: %(default)s)")
    parser.add_argument("--jobs", default="tcp://127.0.0.1:5557", help="where Gateway binds for jobs (default: %(default)s)")
    parser.add_argument("--name", default=f"worker-{os.getpid()}", help="name in the replies (default: %(default)s)")
    arguments = parser.parse_args()

    context = zmq.Context.instance()
    calls, jobs = context.socket(zmq.REP), context.socket(zmq.PULL)
    calls.connect(arguments.connect)
    jobs.connect(arguments.jobs)
    poller = zmq.Poller()
    poller.register(calls, zmq.POLLIN)
    poller.register(jobs, zmq.POLLIN)
    print("ready", arguments.connect, flush=True)

    while True:
        waiting = dict(poller.poll())
        if calls in waiting:
            text = calls.recv_multipart()[-1].decode(errors="replace")
            calls.send(json.dumps({"worker": arguments.name, "words": len(text.split())}).encode())
        if jobs in waiting:
            print("job", jobs.recv_multipart()[-1].decode(errors="replace"), flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass

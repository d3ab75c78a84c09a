"""A peer that computes nothing: it answers as peer_llamacpp.py does, or as it must not.

fake_peer.py HOW MODEL THREADS CONTEXT, or `fake_peer.py bandwidth THREADS MIB`.
"""

import json
import sys

ANSWERS = {
    "few": '{"ids": [], "prompt_ns": 1000, "new_ns": 1000}',
    "alien": '{"ids": [1, 99999], "prompt_ns": 1000, "new_ns": 1000}',
    "negative": '{"ids": [1, -1], "prompt_ns": 1000, "new_ns": 1000}',
    "instant": '{"ids": [1, 2], "prompt_ns": 1000, "new_ns": 0}',
    "timeless": '{"ids": [1, 2], "prompt_ns": 0, "new_ns": 10}',
    "text": "fast!",
    "list": "[]",
    "part": '{"ids": [1, 2]}',
    "gives-up": '{"error": "no memory"}',
}


def serve(how: str) -> None:
    vocab = {} if how == "bandwidth" else {"vocab": 512}
    print(json.dumps({"ready": "fake", "version": "1", **vocab}), flush=True)
    for number, line in enumerate(sys.stdin):
        request = json.loads(line)
        if how == "bandwidth":
            print(json.dumps({"bytes": 2_000_000 + number, "ns": 1_000_000}), flush=True)
        elif how == "dies":
            sys.exit("out of breath")
        elif how in ANSWERS:
            print(ANSWERS[how], flush=True)
        elif how != "silent":
            prompt, new = len(request["prompt"]), request["new"]
            taken = {"prompt_ns": prompt * 1000 + number, "new_ns": new * 5000}
            print(json.dumps({"ids": [7] * new, **taken}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "stillborn":
        sys.exit("no library")
    serve(sys.argv[1])

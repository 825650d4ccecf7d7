# Runs one peer of `crane-native bench --vs` in a process of its own: bench starts `python3 peer.py MODULE`, where
# MODULE is vit_pytorch, vit_openvino, authors_pytorch or systems_pytorch beside this file, and asks it line by line
# (src/bench/protocol.ts). Needs the packages of that peer only: pip install torch, or pip install openvino
# (and nncf for int8).
import importlib
import json
import os
import sys
import time

PACKAGES = {"vit_openvino": "openvino"}  # of all others: torch


def peak_bytes():
    # VmHWM counts from the last reset_peak, unlike getrusage's figure.
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
    except OSError:
        pass  # not Linux, or not allowed: the peak stays that of the process


def open_peer(module, setup):
    reset_peak()
    start = time.perf_counter()
    peer = importlib.import_module(module).Peer(setup)
    ready = {
        "threads": setup["threads"],
        "precision": setup["precision"],
        "openSeconds": time.perf_counter() - start,
        "openPeakBytes": peak_bytes(),
    }
    if "gflop" in setup:
        ready["gflop"] = setup["gflop"]
    return peer, {"ready": {**ready, **peer.facts()}}


def run(peer, batch):
    peer.prepare(batch)
    reset_peak()
    before = time.process_time()
    seconds = peer.run(batch)
    cpu = time.process_time() - before
    return {"sample": {"seconds": seconds, "cpuSeconds": cpu, "peakBytes": peak_bytes()}}


def fault(module, error):
    if isinstance(error, ImportError):
        package = "nncf" if error.name == "nncf" else PACKAGES.get(module, "torch")
        return {
            "message": f"{sys.executable} cannot import {package} ({error})",
            "hint": f"{sys.executable} -m pip install {package}, or name another interpreter: --python PATH",
        }
    return {"message": f"{type(error).__name__}: {error}"}


def main():
    module = sys.argv[1]
    # Whatever libraries print goes to stderr: stdout speaks the protocol alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    peer = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if "setup" in question:
                peer, answer = open_peer(module, question["setup"])
            else:
                answer = run(peer, question["run"]["batch"])
        except Exception as error:
            answer = {"error": fault(module, error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()

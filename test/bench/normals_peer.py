# faiss beside normals.mjs: the nearest of random unit rows by their inner product, exactly. Answers each line on stdin
# with the time of one search.
import json
import sys
import time

setup = json.loads(sys.argv[1])
try:
    import faiss
    import numpy as np
except ImportError as error:
    print(json.dumps({"fault": f"{error}; pip install faiss-cpu numpy"}), flush=True)
    sys.exit(0)

random = np.random.default_rng(0)


def unit_rows(count):
    rows = random.standard_normal((count, setup["depth"]), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


faiss.omp_set_num_threads(setup["threads"])
index = faiss.IndexFlatIP(setup["depth"])
index.add(unit_rows(setup["rows"]))
queries = unit_rows(setup["queries"])
print(json.dumps({"version": faiss.__version__}), flush=True)
for _ in sys.stdin:
    cpu, start = time.process_time(), time.perf_counter()
    index.search(queries, 1)
    print(json.dumps({"seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu}), flush=True)

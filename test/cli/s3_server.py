"""An S3 server for tests: python s3_server.py [KEYS]. Prints its port; bucket "parts" is empty, "many" has so many keys."""

import sys
import threading

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
for bucket in ("parts", "many"):
    backend.create_bucket(bucket, "us-east-1")
for index in range(int(sys.argv[1]) if len(sys.argv) > 1 else 0):
    backend.put_object("many", f"line/{index % 100:02d}/{index:07d}.png", b"")
print(server.get_host_and_port()[1], flush=True)
threading.Event().wait()

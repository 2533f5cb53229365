"""waitress on the socket that it is given."""
import signal
import socket
import sys

import waitress
from wsgi import app

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
waitress.serve(app, sockets=[socket.socket(fileno=3)])

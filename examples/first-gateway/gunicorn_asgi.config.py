"""What gunicorn is told by the guide. Its socket is brood's, and beats what bind says."""
import multiprocessing

bind = "127.0.0.1:8000"
workers = multiprocessing.cpu_count() * 2 + 1
worker_class = "uvicorn.workers.UvicornWorker"
worker_connections = 1000
timeout = 120
graceful_timeout = 110
keepalive = 5
max_requests = 1000
max_requests_jitter = 50
preload_app = False

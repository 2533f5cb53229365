"""tornado on the socket that it is given; it leaves on SIGTERM when nothing is under way."""
import asyncio
import signal
import socket

import tornado.httpserver
import tornado.web


class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("hello\n")


async def main():
    server = tornado.httpserver.HTTPServer(tornado.web.Application([("/", Hello)]))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listener = socket.socket(fileno=3)
    listener.setblocking(False)
    server.add_socket(listener)
    await stop.wait()
    server.stop()
    await server.close_all_connections()

asyncio.run(main())

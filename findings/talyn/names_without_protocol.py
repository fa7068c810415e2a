"""talyn: getaddrinfo() of a literal address is not what socket.getaddrinfo() gives

Rule:     DNS-01
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.getaddrinfo: asynchronous version of socket.getaddrinfo()
Expected: protocol 6, canonical name ''
Seen:     protocol 0, canonical name None, in a tuple
"""

import socket

import talyn

loop = talyn.Loop()
meant = socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)
given = loop.run_until_complete(loop.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM))
print(given)
raise SystemExit(list(given) != meant)

// @ts-check
// What "Put your own services behind it" shows. Tests run the services, check the configurations and call with the commands.

/**
 * @typedef {{ name: string, file: string, code: string, start: string, config: string, hint: string, use: (host: string, secure: boolean) => string }} Example
 */

/** @param {string} backend @param {string} route @returns {string} */
const gatewayJson = (backend, route) => `{
  "Gateway": {
    "Backends": {
      ${backend}
    },
    "Routes": {
      ${route}
    }
  }
}`;

/** @param {string} scheme @param {boolean} secure */
const scheme = (scheme, secure) => secure ? `${scheme}s` : scheme;

/** @type {Example[]} */
export const examples = [
  {
    name: 'pyzmq REP',
    file: 'calculator.py',
    code: `import zmq

socket = zmq.Context().socket(zmq.REP)
socket.bind("tcp://127.0.0.1:5555")
while True:
    request = socket.recv_json()
    total = request["a"] + request["b"]
    socket.send_json({"sum": total})`,
    start: 'python3 calculator.py',
    config: gatewayJson(
      `"calculator": { "Socket": "REQ",
        "Connect": ["tcp://127.0.0.1:5555"] }`,
      `"add": { "Path": "/api/add", "Backend": "calculator",
        "ContentType": "application/json" }`),
    hint: 'in a shell',
    use: (host, secure) => `curl -d '{"a":2,"b":40}' ${scheme('http', secure)}://${host}/api/add`,
  },
  {
    name: 'pyzmq PUB',
    file: 'quotes.py',
    code: `import random, time, zmq

socket = zmq.Context().socket(zmq.PUB)
socket.bind("tcp://127.0.0.1:5556")
while True:
    price = round(random.gauss(1.08, 1e-4), 5)
    socket.send_string("EURUSD", zmq.SNDMORE)
    socket.send_json({"symbol": "EURUSD", "price": price})
    time.sleep(0.1)`,
    start: 'python3 quotes.py',
    config: gatewayJson(
      `"quotes": { "Socket": "SUB",
        "Connect": ["tcp://127.0.0.1:5556"] }`,
      `"quotes": { "Path": "/quotes/{topic?}", "Backend": "quotes",
        "ContentType": "application/json" }`),
    hint: 'in this browser’s console',
    use: (host, secure) => `new WebSocket('${scheme('ws', secure)}://${host}/quotes/EUR').onmessage = m => console.log(m.data)`,
  },
  {
    name: 'C++',
    file: 'echo.cpp',
    code: `#include <zmq.hpp>

int main() {
  zmq::context_t context;
  zmq::socket_t socket(context, ZMQ_REP);
  socket.bind("tcp://127.0.0.1:5557");
  for (zmq::message_t m; socket.recv(m);)
    socket.send(m, zmq::send_flags::none);
}`,
    start: 'g++ -o echo echo.cpp -lzmq && ./echo',
    config: gatewayJson(
      `"echo": { "Socket": "REQ",
        "Connect": ["tcp://127.0.0.1:5557"] }`,
      `"echo": { "Path": "/api/echo", "Backend": "echo",
        "ContentType": "text/plain" }`),
    hint: 'in a shell',
    use: (host, secure) => `curl -d 'hello' ${scheme('http', secure)}://${host}/api/echo`,
  },
];

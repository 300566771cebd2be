// A libzmq socket for the interop tests, by npm zeromq: peer.mjs TYPE bind|connect ENDPOINT [HEARTBEAT_MS]. It does what peer.py does.
import {createHash} from "node:crypto"
import {setTimeout as sleep} from "node:timers/promises"
import * as zmq from "zeromq"

const body = size => Buffer.from(Uint8Array.from({length: size}, (_, i) => i % 251))
const standard = [[0], [1], [255], [256], [0, 255, 256], [3, 0, 70_000], [8 << 20]].map(sizes => sizes.map(body))
const describe = frames =>
  `${frames.map(frame => frame.length).join("/")} ${createHash("sha256").update(Buffer.concat(frames)).digest("hex")}`
const same = (a, b) => a.length === b.length && a.every((frame, i) => frame.equals(b[i]))
const say = text => process.stdout.write(`${text}\n`)

const types = {
  REQ: zmq.Request, REP: zmq.Reply, DEALER: zmq.Dealer, ROUTER: zmq.Router, PUB: zmq.Publisher, SUB: zmq.Subscriber,
  PUSH: zmq.Push, PULL: zmq.Pull, PAIR: zmq.Pair,
}

async function serve(socket, kind) {
  if (kind === "REP" || kind === "ROUTER" || kind === "PAIR") for await (const frames of socket) await socket.send(frames)
  if (kind === "PULL" || kind === "SUB") for await (const frames of socket) say(`got ${describe(frames)}`)
  if (kind === "PUSH") for (const message of standard) await socket.send(message)
  if (kind === "PUB") {
    for (let i = 0; ; i++) {
      for (const message of i % 20 === 0 ? standard : standard.slice(0, -1)) await socket.send(message)
      await sleep(50)
    }
  }
  if (kind === "REQ" || kind === "DEALER") {
    for (const message of standard) {
      // A copy: libzmq's ws:// client masks larger buffers where they lie, in this very array.
      await socket.send(message.map(frame => Buffer.from(frame)))
      const answer = await socket.receive()
      say(same(answer, message) ? "ok" : `sent ${describe(message)}, got ${describe(answer)}`)
    }
  }
}

const [kind, role, endpoint, heartbeat] = process.argv.slice(2)
const socket = new types[kind]({linger: 0})
if (heartbeat) {
  socket.heartbeatInterval = Number(heartbeat)
  socket.heartbeatTimeout = 40 * Number(heartbeat)
  socket.heartbeatTimeToLive = 40 * Number(heartbeat)
}
if (kind === "SUB") socket.subscribe("")
if (role === "bind") await socket.bind(endpoint)
else socket.connect(endpoint)
// The test is the parent: when it is gone, nobody reads and nobody ends us.
process.stdin.on("end", () => process.exit(0)).resume()
say(`ready ${role === "bind" ? socket.lastEndpoint : endpoint}`)
await serve(socket, kind)

// A jszmq socket for the interop tests: jszmq.mjs TYPE bind|connect ENDPOINT. It does what peer.py does.
import {createHash} from "node:crypto"
import {createServer} from "node:net"
import jszmq from "jszmq"

const body = size => Buffer.from(Uint8Array.from({length: size}, (_, i) => i % 251))
const standard = [[0], [1], [255], [256], [0, 255, 256], [3, 0, 70_000], [8 << 20]].map(sizes => sizes.map(body))
const describe = frames =>
  `${frames.map(frame => frame.length).join("/")} ${createHash("sha256").update(Buffer.concat(frames)).digest("hex")}`
const same = (a, b) => a.length === b.length && a.every((frame, i) => frame.equals(b[i]))
const say = text => process.stdout.write(`${text}\n`)
const freePort = () => new Promise(resolve => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const {port} = server.address()
    server.close(() => resolve(port))
  })
})

const [kind, role, given] = process.argv.slice(2)
const endpoint = role === "bind" ? given.replace("*", await freePort()) : given
const socket = jszmq.socket(kind === "CALLS" ? "dealer" : kind.toLowerCase())
if (kind === "SUB" || kind === "PULL") socket.on("message", (...frames) => say(`got ${describe(frames)}`))
if (kind === "SUB") socket.subscribe("")
// jszmq hands REP its envelope as an endpoint's business: only the body is seen and sent.
if (kind === "REP") socket.on("message", (...frames) => socket.send(frames))
if (kind === "ROUTER") socket.on("message", (...frames) => socket.send(frames))
if (kind === "REQ" || kind === "DEALER") {
  let next = 0
  const ask = () => next < standard.length && socket.send(standard[next])
  socket.on("message", (...answer) => {
    say(same(answer, standard[next]) ? "ok" : `sent ${describe(standard[next])}, got ${describe(answer)}`)
    next++
    ask()
  })
  ask()
}
if (kind === "CALLS") {
  socket.on("message", (...frames) => say(`reply ${frames.join("|")}`))
  socket.send("")
  for (let i = 0; i < 20; i++) socket.send(["", `request ${i}`])
}
if (role === "bind") socket.bind(endpoint)
else socket.connect(endpoint)
if (kind === "PUSH") standard.forEach(message => socket.send(message))
if (kind === "PUB") setInterval(() => standard.slice(0, -1).forEach(message => socket.send(message)), 50)
// The test is the parent: when it is gone, nobody reads and nobody ends us.
process.stdin.on("end", () => process.exit(0)).resume()
say(`ready ${endpoint}`)

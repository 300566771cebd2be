// jszmq sockets for the interop matrix, many cases in one process: what matrix.py does, as far as jszmq goes (ws without a mechanism).
import {createHash} from "node:crypto"
import {readFileSync} from "node:fs"
import {createServer} from "node:http"
import {createInterface} from "node:readline"
import jszmq from "jszmq"

const body = size => Buffer.from(Uint8Array.from({length: size}, (_, i) => i % 251))
const describe = frames =>
  `${frames.map(frame => frame.length).join("/")} ${createHash("sha256").update(Buffer.concat(frames)).digest("hex")}`
const say = text => process.stdout.write(`${text}\n`)
const isSync = frames => frames.length === 1 && Buffer.from("sync").equals(frames[0])

const types = {
  REQ: jszmq.Req, REP: jszmq.Rep, DEALER: jszmq.Dealer, ROUTER: jszmq.Router, PUB: jszmq.Pub, SUB: jszmq.Sub, XPUB: jszmq.XPub, XSUB: jszmq.XSub,
  PUSH: jszmq.Push, PULL: jszmq.Pull, PAIR: jszmq.Pair,
}

// Whoever waits for the next thing of a kind gets it, in order.
class Mailbox {
  #things = []
  #waiting = []
  put(thing) {
    const next = this.#waiting.shift()
    if (next) next(thing)
    else this.#things.push(thing)
  }
  take() {
    return this.#things.length > 0 ? Promise.resolve(this.#things.shift()) : new Promise(resolve => this.#waiting.push(resolve))
  }
}

const lines = new Mailbox()
const input = createInterface({input: process.stdin})
input.on("line", line => lines.put(line.trim()))
// The test is the parent: when it is gone, nobody ends us.
input.on("close", () => process.exit(0))

async function play(socket, test, received) {
  const messages = test.sizes.map(sizes => sizes.map(body))
  const delimiter = test.type === "DEALER" && test.peer === "REP" ? [Buffer.alloc(0)] : []
  if (test.flow === "echo") for (const _ of messages) socket.send(await received.take())
  if (test.flow === "ask") {
    for (const message of messages) {
      socket.send([...delimiter, ...message])
      const answer = await received.take()
      say(`got ${describe(answer.slice(delimiter.length))}`)
    }
  }
  if (test.flow === "collect") {
    for (let left = messages.length; left > 0;) {
      const frames = await received.take()
      if (isSync(frames)) continue
      say(`got ${describe(frames)}`)
      left--
    }
  }
  if (test.flow === "send") {
    // XPUB is told of its subscriber; a PUB sends until that has come.
    if (test.type === "XPUB") await received.take()
    const told = test.type === "PUB" ? lines.take() : Promise.resolve()
    const timer = test.type === "PUB" ? setInterval(() => socket.send("sync"), 2) : undefined
    await told
    clearInterval(timer)
    for (const message of messages) socket.send(message)
  }
}

const listen = () => new Promise(resolve => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => resolve(server))
})

async function run(test) {
  const socket = new types[test.type]()
  const received = new Mailbox()
  socket.on("message", (endpoint, ...frames) => received.put(endpoint instanceof Buffer ? [endpoint, ...frames] : frames))
  socket.options.routingId = "theirs"
  if (test.type === "SUB") socket.subscribe("")
  // A server of our own, for only that knows which free port it has.
  const server = test.role === "bind" ? await listen() : undefined
  const endpoint = server ? `ws://127.0.0.1:${server.address().port}` : test.endpoint
  if (server) socket.bind(endpoint, server)
  else socket.connect(endpoint)
  if (test.type === "XSUB") socket.send(Buffer.from([1]))
  say(`ready ${endpoint}`)
  await play(socket, test, received)
  say("done")
  while (await lines.take() !== "end");
  socket.close()
  server?.close()
}

const version = JSON.parse(readFileSync(new URL("./node_modules/jszmq/package.json", import.meta.url))).version
say(`versions npm jszmq ${version}`)
for (;;) {
  const line = await lines.take()
  // Of a case that failed here; its test ends it nevertheless.
  if (line === "end") continue
  try {
    await run(JSON.parse(line))
  } catch (error) {
    say(`failed ${error}`)
  }
}

// libzmq sockets for the interop matrix, by npm zeromq: many cases in one process. It does what matrix.py does, with the draft types as well.
import {createHash} from "node:crypto"
import {readFileSync} from "node:fs"
import {createInterface} from "node:readline"
import {setTimeout as sleep} from "node:timers/promises"
import * as zmq from "zeromq"
import * as draft from "zeromq/draft.js"

const body = size => Buffer.from(Uint8Array.from({length: size}, (_, i) => i % 251))
const describe = frames =>
  `${frames.map(frame => frame.length).join("/")} ${createHash("sha256").update(Buffer.concat(frames)).digest("hex")}`
const say = text => process.stdout.write(`${text}\n`)
const keys = zmq.curveKeyPair()
const isSync = frames => frames.length === 1 && frames[0].equals(Buffer.from("sync"))

const types = {
  REQ: zmq.Request, REP: zmq.Reply, DEALER: zmq.Dealer, ROUTER: zmq.Router, PUB: zmq.Publisher, SUB: zmq.Subscriber,
  XPUB: zmq.XPublisher, XSUB: zmq.XSubscriber, PUSH: zmq.Push, PULL: zmq.Pull, PAIR: zmq.Pair,
  SERVER: draft.Server, CLIENT: draft.Client, RADIO: draft.Radio, DISH: draft.Dish, SCATTER: draft.Scatter, GATHER: draft.Gather,
}

// Lines of stdin, in order; without one in time the answer is nothing.
const lines = []
let woken = () => {}
const input = createInterface({input: process.stdin})
input.on("line", line => { lines.push(line.trim()); woken() })
// The test is the parent: when it is gone, nobody ends us.
input.on("close", () => process.exit(0))
async function nextLine(timeout) {
  if (lines.length === 0) {
    const more = new Promise(resolve => { woken = resolve })
    await (timeout ? Promise.race([more, sleep(timeout)]) : more)
  }
  return lines.shift()
}

function security([mechanism, role, key]) {
  if (mechanism === "plain") return role === "server" ? {plainServer: true} : {plainUsername: "joe", plainPassword: "secret"}
  return role === "server"
    ? {curveServer: true, curveSecretKey: key}
    : {curveServerKey: key, curvePublicKey: keys.publicKey, curveSecretKey: keys.secretKey}
}

// libzmq's PLAIN server asks a ZAP handler. It names no user: libzmq's REQ takes the name for a reply without delimiter and closes.
async function authenticate() {
  const handler = new zmq.Reply({linger: 0})
  await handler.bind("inproc://zeromq.zap.01")
  for await (const [version, id, , , , mechanism, ...credentials] of handler) {
    const known = String(mechanism) === "CURVE" || (String(credentials[0]) === "joe" && String(credentials[1]) === "secret")
    await handler.send([version, id, known ? "200" : "400", "", "", ""])
  }
}

async function send(socket, kind, messages) {
  if (kind === "XPUB") {
    const [subscription] = await socket.receive()
    if (!subscription.equals(Buffer.from([1]))) throw new Error("that was no subscription")
  }
  const options = kind === "RADIO" ? [{group: "matrix"}] : []
  while (kind === "PUB" || kind === "RADIO") {
    await socket.send("sync", ...options)
    if (await nextLine(2) === "go") break
  }
  for (const message of messages) await socket.send(message, ...options)
}

async function ask(socket, messages, delimiter) {
  for (const message of messages) {
    await socket.send([...delimiter, ...message])
    const answer = await socket.receive()
    if (delimiter.length > 0 && answer.shift().length > 0) throw new Error("the answer has no delimiter")
    say(`got ${describe(answer)}`)
  }
}

async function echo(socket, kind, messages) {
  for (const _ of messages) {
    const frames = await socket.receive()
    // A SERVER is told the routing id.
    if (kind === "SERVER") await socket.send(frames[0], frames[1])
    else await socket.send(frames)
  }
}

async function collect(socket, kind, messages) {
  for (let left = messages.length; left > 0;) {
    const frames = await socket.receive()
    // A DISH is told the group.
    if (kind === "DISH") frames.pop()
    if (isSync(frames)) continue
    say(`got ${describe(frames)}`)
    left--
  }
}

async function run(test) {
  const kind = test.type
  const messages = test.sizes.map(sizes => sizes.map(body))
  const options = test.security ? security(test.security) : {}
  if (["ROUTER", "REQ", "DEALER"].includes(kind)) options.routingId = "theirs"
  if (!["PUSH", "PUB", "RADIO", "SCATTER"].includes(kind)) options.receiveTimeout = 10_000
  if (!["PULL", "SUB", "DISH", "GATHER"].includes(kind)) options.sendTimeout = 10_000
  const socket = new types[kind]({linger: 0, ...options})
  try {
    if (kind === "SUB") socket.subscribe("")
    // Not socket.join: that of zeromq 6.8.0 loses the socket and packs the groups twice.
    if (kind === "DISH") zmq.Socket.prototype.join.call(socket, "matrix")
    if (test.role === "bind") await socket.bind(test.endpoint)
    else socket.connect(test.endpoint)
    if (kind === "XSUB") await socket.send(Buffer.from([1]))
    say(`ready ${test.role === "bind" ? socket.lastEndpoint : test.endpoint}`)
    if (test.flow === "ask") await ask(socket, messages, kind === "DEALER" && test.peer === "REP" ? [Buffer.alloc(0)] : [])
    else if (test.flow === "echo") await echo(socket, kind, messages)
    else if (test.flow === "collect") await collect(socket, kind, messages)
    else await send(socket, kind, messages)
    say("done")
    while (await nextLine() !== "end");
  } finally {
    socket.close()
  }
}

const authenticating = authenticate()
authenticating.catch(error => say(`failed ZAP ${error}`))
const version = JSON.parse(readFileSync(new URL("./node_modules/zeromq/package.json", import.meta.url))).version
say(`versions libzmq ${zmq.version} by npm zeromq ${version}`)
for (;;) {
  const line = await nextLine()
  // Of a case that failed here; its test ends it nevertheless.
  if (line === "end") continue
  try {
    await run(JSON.parse(line))
  } catch (error) {
    say(`failed ${error}`)
  }
}

// Prints jszmq as one script for a browser, where it stands as window.jszmq: the modules that it needs, each in its function. npm's bundlers do
// the same with more around it; this is all that these modules need.
import {readFileSync} from "node:fs"
import {createRequire} from "node:module"
import {dirname, join} from "node:path"

const shims = {
  url: "exports.URL = globalThis.URL; exports.parse = address => new URL(address, 'http://x')",
  http: "", https: "", net: "", util: "",
  assert: "module.exports = exports.default = (holds, words) => { if (!holds) throw new Error(words ?? 'assertion failed') }",
}
const modules = new Map()

function resolve(name, from) {
  if (name.replace("node:", "") in shims) return name.replace("node:", "")
  const require = createRequire(from)
  // The packages of these names, not Node's own modules of the same name.
  const found = ["events", "buffer"].includes(name) ? require.resolve(`${name}/`) : require.resolve(name)
  const manifest = found.includes("/isomorphic-ws/") ? join(dirname(found), "browser.js") : found
  return manifest
}

function add(id) {
  if (modules.has(id)) return
  modules.set(id, "")
  const source = id in shims ? shims[id] : readFileSync(id, "utf8")
  const needs = {}
  if (!(id in shims)) for (const [, name] of source.matchAll(/\brequire\(["']([^"']+)["']\)/g)) {
    try {
      needs[name] = resolve(name, id)
    } catch {
      // What is looked for and not there (lodash asks for Node's util by a computed way) is absent in a browser too.
      continue
    }
    add(needs[name])
  }
  modules.set(id, `function (module, exports, require) {${source}\n}, ${JSON.stringify(needs)}`)
}

const main = createRequire(import.meta.url).resolve("jszmq")
add(main)
process.stdout.write(`(() => {
  const modules = {${[...modules].map(([id, text]) => `${JSON.stringify(id)}: [${text}]`).join(",\n")}}
  const loaded = {}
  globalThis.global = globalThis
  globalThis.process ??= {env: {}, nextTick: setTimeout}
  function load(id) {
    if (loaded[id]) return loaded[id].exports
    const module = loaded[id] = {exports: {}}
    const [run, needs] = modules[id]
    run.call(module.exports, module, module.exports, name => load(needs[name]))
    return module.exports
  }
  globalThis.jszmq = load(${JSON.stringify(main)})
})()
`)

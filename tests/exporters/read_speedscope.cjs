// Reads profiles with speedscope's own importer and prints what it found as JSON.
//
// The package is the application, bundled: it hands nothing out. Its importer takes a file's name
// and content; the bundle is run without a page, with that one function handed out.
//
//   node read_speedscope.cjs NODE_MODULES FILE...

const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [modules, ...files] = process.argv.slice(2);
const release = path.join(modules, "speedscope/dist/release");
const bundle = fs.readdirSync(release).find((name) => /^speedscope-.*\.js$/.test(name));
const source = fs.readFileSync(path.join(release, bundle), "utf8");
const call = /loadFileFromBase64:\((\w+),(\w+)\)=>\{this\.loadProfile\(\(\)=>(\w+)\(\1,\2\)\)/;
const opening = '"use strict";(()=>{';
const [, , , importer] = call.exec(source) ?? [];
if (!importer || !source.startsWith(opening)) throw Error("speedscope's importer was not found");

// What is not there, as deep as anyone asks.
const nothing = () =>
  new Proxy(function () {}, {
    get: (_, key) => (key === Symbol.toPrimitive ? () => "" : key === "then" ? undefined : nothing()),
    apply: () => nothing(),
    construct: () => nothing(),
    set: () => true,
  });

const said = [];
const log = (...words) => said.push(words.join(" "));
const window = {
  addEventListener() {},
  location: { hash: "", protocol: "file:", href: "file:///" },
  matchMedia: () => ({ matches: false, addListener() {}, addEventListener() {} }),
};
const sandbox = {
  ...{ setTimeout, clearTimeout, TextDecoder, TextEncoder, atob, btoa, performance, URL },
  ...{ Uint8Array, ArrayBuffer, DataView, WebAssembly },
  console: { log, warn: log, error: log },
  document: nothing(),
  localStorage: nothing(),
  navigator: { platform: "", userAgent: "" },
  requestAnimationFrame() {},
  matchMedia: window.matchMedia,
  location: window.location,
  window,
  self: window,
};
sandbox.globalThis = sandbox;
const start = `${opening}globalThis.read=(name,data)=>${importer}(name,data);`;
try {
  vm.runInNewContext(start + source.slice(opening.length), sandbox);
} catch {
  // It cannot draw its first page, which comes last.
}

function plain(profile) {
  const frames = [];
  profile.forEachFrame(({ name, file, line, totalWeight, selfWeight }) =>
    frames.push({ name, file, line, total: totalWeight, own: selfWeight }),
  );
  let depth = 0;
  let deepest = 0;
  let calls = 0;
  profile.forEachCall(
    () => {
      calls += 1;
      deepest = Math.max(deepest, (depth += 1));
    },
    () => (depth -= 1),
  );
  return {
    name: profile.getName(),
    unit: profile.getWeightUnit(),
    total: profile.getTotalWeight(),
    nonIdle: profile.getTotalNonIdleWeight(),
    ...{ frames, calls, deepest },
  };
}

(async () => {
  for (const file of files) {
    said.length = 0;
    const content = fs.readFileSync(file).toString("base64");
    const group = await sandbox.read(path.basename(file), content);
    const profiles = group ? group.profiles.map(plain) : null;
    console.log(JSON.stringify({ profiles, said }));
  }
})();

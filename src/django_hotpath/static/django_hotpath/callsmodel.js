// The function table, unpacked from what calls.py packed.

let model;
let kit;

// kit.callTable(): the model, made once; null on a page without calls. By key (the number of the
// function): name, path, line, kind, package, calls, primitive, own and all in ms, place(key), layer(key):
// {key, label, tone}, own time within a layer: ownIn(key, layer); edges: {key, calls, primitive, own, all}
// of callers(key) and callees(key).
export function callTable() {
  if (model === undefined) {
    const packed = kit.data("calls-data");
    model = packed && unpack(packed);
  }
  return model;
}

const PLACES = {
  sql: "SQL statement",
  cache: "cache operation",
  template: "template",
  http: "HTTP request",
  middleware: "middleware",
};

function unpack({ total, layers, files, kinds, packages, functions: columns, primitive, within, edges }) {
  const milliseconds = (values) => Float64Array.from(values, (value) => value / 1000);
  const own = milliseconds(columns.own);
  const named = layers.map(([key, label, tone]) => ({ key, label, tone }));
  const layer = (key) => named[files[columns.file[key]][1]];
  const path = (key) => files[columns.file[key]][0];
  const kind = (key) => kinds[columns.kind[key]];
  const packageOf = (key) => packages[columns.package[key]];
  let callers, callees;

  function index() {
    callers = new Map();
    callees = new Map();
    edges.caller.forEach((caller, i) => {
      const callee = edges.callee[i];
      const figures = {
        calls: edges.calls[i],
        primitive: edges.primitive[i] ?? edges.calls[i],
        own: edges.own[i] / 1000,
        all: edges.all[i] / 1000,
      };
      for (const [found, key, other] of [[callers, callee, caller], [callees, caller, callee]]) {
        if (!found.has(key)) found.set(key, []);
        found.get(key).push({ key: other, ...figures });
      }
    });
    for (const found of [callers, callees])
      for (const rows of found.values()) rows.sort((a, b) => b.all - a.all);
  }

  // What belongs to other layers by where it was called: the driver below a statement.
  function ownIn(key, wanted) {
    const elsewhere = within[wanted]?.[key] ?? 0;
    if (layer(key).key !== wanted) return elsewhere;
    let left = own[key];
    for (const rows of Object.values(within)) left -= rows[key] ?? 0;
    return Math.max(left, 0);
  }

  return {
    ...{ total, own, layer, path, kind, ownIn },
    count: columns.name.length,
    name: (key) => columns.name[key],
    line: (key) => columns.line[key],
    package: packageOf,
    calls: (key) => columns.calls[key],
    primitive: (key) => primitive[key] ?? columns.calls[key],
    all: milliseconds(columns.all),
    place: (key) => (path(key) ? `${kit.shortPath(path(key))}:${columns.line[key]}` : (PLACES[kind(key)] ?? packageOf(key))),
    callers: (key) => (callers || index(), callers.get(key) ?? []),
    callees: (key) => (callers || index(), callees.get(key) ?? []),
  };
}

export function start(given) {
  kit = given;
}

// Lines of files as links to the editor that HOTPATH["EDITOR_URL"] names; without it, as text.
// The same rules as in report/editor.py.

let kit;
const root = document.documentElement.dataset;

const encoded = (path) => encodeURI(path).replace(/[#?&=+'"]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

// The URL, or null: no editor is named, or this is no file ("<string>").
export function editorUrl(file, line) {
  const template = root.editor;
  if (!template || !file || /[<>\u0000-\u001f\ud800-\udfff]/.test(withoutPairs(file))) return null;
  let path = file.replaceAll("\\", "/");
  if (!/^(\/|[A-Za-z]:\/)/.test(path)) {
    if (!root.base) return null;
    path = `${root.base.replace(/\/$/, "")}/${path}`;
  }
  const number = String(Number.isInteger(line) && line > 0 ? line : 1);
  return template
    .replaceAll(/((?<!\/)\/)?\{file\}/g, (_, slash = "") => slash + encoded(slash ? path.replace(/^\/+/, "") : path))
    .replaceAll("{line}", number);
}

// Lone surrogates cannot be encoded; pairs can.
function withoutPairs(text) {
  return text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, "");
}

// <a> around the children, or the children alone in a <span>.
export function editorLink(file, line, ...children) {
  const url = editorUrl(file, line);
  return url
    ? kit.el("a", { class: "edit", href: url, title: `Open ${file}:${line} in your editor` }, ...children)
    : kit.el("span", {}, ...children);
}

// A place as text that people read, as a link where there is an editor.
export function site(file, line) {
  const text = line ? `${kit.shortPath(file)}:${line}` : kit.shortPath(file);
  return editorLink(file, line, kit.el("code", { class: "path", title: line ? `${file}:${line}` : file }, text));
}

export function start(offered) {
  kit = offered;
}

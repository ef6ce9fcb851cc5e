"use strict";
// The table of results: sorted, filtered, downloaded; each row opens what its value rests on.
{
  const { run, columns, headlines, artifacts, versions, figures, claims, sourced, judged } = window.explore;
  const rows = window.explore.rows.map(values => Object.fromEntries(columns.map((name, i) => [name, values[i]])));
  const NUMBERS = ["seed", "value", "lo", "hi", "n"];
  const FILTERS = ["experiment", "metric", "input", "kind"];
  const HEADINGS = {
    experiment: "experiment", model: "model", seed: "seed", kind: "measured as", input: "input", region: "region",
    split: "split", metric: "metric", value: "value", lo: "interval", n: "n",
  };
  const CHUNK = 120; // rows that are added to the page at once
  const find = selector => document.querySelector(selector);
  const form = find(".filters"), body = find("#results tbody"), box = find("#box"), dialog = find("#artifact");

  const modelOf = key => artifacts[key].kind === "training" ? key : artifacts[key].inputs.model;
  const historyOf = key => artifacts[modelOf(key)]?.history;
  const titleOf = ({ experiment, seed }) => experiment + (seed === null ? "" : `, seed ${seed}`);
  const said = value => value === null ? "–" : String(value);

  function digits(value) {
    if (value === null) return "–"; // infinite, or undefined
    if (Number.isInteger(value)) return value.toLocaleString("en");
    const size = Math.abs(value);
    if (size >= 1e5) return digits(Math.round(value));
    return (size < 1e-4 ? value.toExponential(3) : value.toPrecision(5)).replaceAll("-", "−");
  }
  const interval = row => row.lo === null || row.hi === null ? "–" : `[${digits(row.lo)}, ${digits(row.hi)}]`;

  // ── What is shown: it stands in the address, so that a view can be linked ──────────────────────────────────────────

  let view = {}, shown = [], drawnRows = 0;
  for (const row of rows) row.text = columns.map(name => name === "key" ? "" : said(row[name])).join(" ").toLowerCase();

  function read() {
    const asked = new URLSearchParams(location.hash.slice(1));
    view = Object.fromEntries(form.dataset.views.split(" ").map(name => [name, asked.get(name) ?? ""]));
    if (!(view.sort.replace(/^-/, "") in HEADINGS)) view.sort = "";
  }

  function address(changed = {}) {
    const set = Object.entries({ ...view, ...changed }).filter(([, value]) => value);
    return `#${new URLSearchParams(set)}`;
  }

  function change(changed) {
    Object.assign(view, changed);
    history.replaceState(null, "", address());
    show();
  }

  function matching() {
    const words = view.q.toLowerCase().split(/\s+/).filter(Boolean);
    return rows.filter(row => FILTERS.every(name => !view[name] || row[name] === view[name]) && words.every(word => row.text.includes(word)));
  }

  const collator = new Intl.Collator("en", { numeric: true });
  function sorted(found) {
    const name = view.sort.replace(/^-/, ""), sign = view.sort.startsWith("-") ? -1 : 1;
    if (!name) return found;
    const compare = NUMBERS.includes(name) ? (a, b) => a - b : collator.compare;
    return [...found].sort((a, b) => { // what has no value comes last, whichever way
      const [one, other] = [a[name], b[name]];
      return one === null || other === null ? (one === null) - (other === null) : sign * compare(one, other);
    });
  }

  // ── A row a model: the headline values ─────────────────────────────────────────────────────────────────────────────

  const board = { leaders: [], by: 0, down: true };

  function setUpBoard() {
    const models = new Map();
    for (const row of rows) {
      const title = titleOf(row);
      if (row.region !== "all" || row.split === "validation" || row.experiment.startsWith("tune-")) continue;
      headlines.forEach(({ metrics, input }, i) => {
        const rank = metrics.indexOf(row.metric);
        if (rank < 0 || row.input !== input) return;
        if (!models.has(title)) models.set(title, { title, experiment: row.experiment, values: headlines.map(() => null), ranks: [] });
        const model = models.get(title);
        if (model.values[i] === null || rank < model.ranks[i]) [model.values[i], model.ranks[i]] = [row.value, rank];
      });
    }
    board.leaders = [...models.values()].filter(({ values }) => values.slice(0, -1).some(value => value !== null));
    const head = find("#leaders thead tr");
    head.append(element("th", { scope: "col" }, "model"), ...headlines.map(({ title }, i) => {
      const sort = () => { board.down = board.by === i ? !board.down : true; board.by = i; showBoard(); };
      return element("th", { scope: "col", class: "number" }, element("button", { type: "button", onclick: sort }, title));
    }));
    showBoard();
  }

  function showBoard() {
    const { leaders, by, down } = board, value = ({ values }) => values[by];
    const order = [...leaders].sort((a, b) => value(a) === null || value(b) === null
      ? (value(a) === null) - (value(b) === null) : (down ? -1 : 1) * (value(a) - value(b)));
    [...find("#leaders thead tr").cells].forEach((cell, i) => {
      if (i === by + 1) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    find("#leaders tbody").replaceChildren(...order.map(({ title, experiment, values }) => {
      const go = () => { find("#all").open = true; change({ experiment, q: "", metric: "", input: "", kind: "" }); find("#all").scrollIntoView(); };
      const name = element("button", { type: "button", onclick: go }, title);
      return element("tr", {}, element("th", { scope: "row" }, name), values.map(each => element("td", { class: "number" }, digits(each))));
    }));
  }

  // ── The table ──────────────────────────────────────────────────────────────────────────────────────────────────────

  function headings() {
    for (const [name, text] of Object.entries(HEADINGS)) {
      const sort = () => change({ sort: view.sort === name ? `-${name}` : name });
      const cell = element("th", { scope: "col", "data-name": name, class: NUMBERS.includes(name) && "number" }, element("button", { type: "button", onclick: sort }, text));
      find("#results thead tr").append(cell);
      if (name === "experiment") cell.after(element("th", { scope: "col", class: "loss" }, "error by epoch"));
    }
  }

  function line(row) {
    const opener = element("button", { type: "button", tabindex: -1, "aria-haspopup": "dialog" }, row.experiment);
    const loss = historyOf(row.key);
    const cells = Object.keys(HEADINGS).slice(1).map(name =>
      element("td", { class: NUMBERS.includes(name) && "number" }, name === "value" ? digits(row.value) : name === "lo" ? interval(row) : name === "n" ? digits(row.n) : said(row[name])));
    return element("tr", { "data-key": row.key }, element("th", { scope: "row" }, opener), element("td", { class: "loss" }, loss ? sparkline(loss) : null), cells);
  }

  function more() {
    const next = shown.slice(drawnRows, drawnRows + CHUNK);
    body.append(...next.map(line));
    drawnRows += next.length;
  }

  function show() {
    form.q.value = view.q;
    for (const name of FILTERS) form[name].value = view[name];
    for (const cell of document.querySelectorAll("#results th[data-name]")) {
      const { name } = cell.dataset;
      if (view.sort.replace(/^-/, "") === name) cell.setAttribute("aria-sort", view.sort.startsWith("-") ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    shown = sorted(matching());
    drawnRows = 0;
    body.replaceChildren();
    more();
    box.scrollTop = 0;
    body.querySelector("button")?.setAttribute("tabindex", "0");
    find("#count").textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
  }

  // One row at a time is in the tab order; arrow keys choose which.
  function focusRow(at) {
    while (at >= drawnRows && drawnRows < shown.length) more();
    const buttons = body.querySelectorAll("button"), chosen = buttons[Math.max(0, Math.min(at, buttons.length - 1))];
    if (!chosen) return;
    body.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    chosen.setAttribute("tabindex", "0");
    chosen.focus();
  }

  body.addEventListener("keydown", event => {
    const here = [...body.rows].indexOf(event.target.closest("tr"));
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + 12, PageUp: here - 12, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focusRow(to);
  });
  body.addEventListener("click", event => {
    const row = event.target.closest("tr");
    if (!row || String(getSelection())) return; // text was selected, to be copied
    focusRow([...body.rows].indexOf(row));
    view.artifact = row.dataset.key;
    history.replaceState(null, "", address());
    open();
  });
  box.addEventListener("scroll", () => { if (box.scrollTop + box.clientHeight > box.scrollHeight - 600 && drawnRows < shown.length) more(); }, { passive: true });

  // ── Filters ────────────────────────────────────────────────────────────────────────────────────────────────────────

  for (const name of FILTERS) {
    const values = [...new Set(rows.map(row => row[name]))].sort(collator.compare);
    form[name].append(element("option", { value: "" }, "all"), ...values.map(value => element("option", { value }, value)));
    form[name].addEventListener("change", () => change({ [name]: form[name].value }));
  }
  form.q.addEventListener("input", () => change({ q: form.q.value }));
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", event => {
    event.preventDefault();
    change(Object.fromEntries(["q", ...FILTERS].map(name => [name, ""])));
  });

  // ── Downloads ──────────────────────────────────────────────────────────────────────────────────────────────────────

  const plain = row => Object.fromEntries(columns.map(name => [name, row[name]]));

  // A spreadsheet takes text that begins like this for a formula.
  const harmless = value => typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  const quoted = value => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  const asCsv = found => [columns, ...found.map(row => columns.map(name => row[name]))]
    .map(cells => cells.map(value => quoted(String(harmless(value) ?? ""))).join(",") + "\r\n").join("");
  const asJson = found => JSON.stringify({ ...run, rows: found.map(plain) }, null, 1) + "\n";

  for (const button of document.querySelectorAll("[data-download]")) {
    button.addEventListener("click", () => {
      const { download, rows: which } = button.dataset, found = which === "all" ? rows : shown;
      const [text, type] = download === "csv" ? [asCsv(found), "text/csv"] : [asJson(found), "application/json"];
      const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
      element("a", { href: url, download: `results-${run.profile}-${run.dataset}${which === "all" ? "" : "-shown"}.${download}` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    });
  }

  // ── An artifact ────────────────────────────────────────────────────────────────────────────────────────────────────

  const section = (title, ...parts) => element("section", {}, element("h3", {}, title), ...parts);
  const link = (key, text) => element("a", { href: address({ artifact: key }) }, text);
  const list = (items, none) => items.length ? element("ul", {}, items.map(item => element("li", {}, item))) : element("p", { class: "none" }, none);
  const pairs = entries => element("dl", {}, entries.filter(([, value]) => value != null).map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]).flat());

  // Markdown's bold is all that a claim's sentence has.
  const marked = sentence => sentence.split("**").map((part, i) => i % 2 ? element("strong", {}, part) : part);

  function leaves(spec, prefix = "") {
    return Object.entries(spec).flatMap(([name, value]) => value && typeof value === "object" && !Array.isArray(value)
      ? leaves(value, `${prefix}${name}.`) : [[prefix + name, value === null ? "none" : Array.isArray(value) ? value.join(", ") : String(value)]]);
  }

  function valuesOf(key) {
    const own = rows.filter(row => row.key === key && row.experiment === artifacts[key].experiment);
    if (!own.length) return null;
    const head = ["metric", "value", "interval", "n", "input", "region", "split"].map((text, i) => element("th", { scope: "col", class: i > 0 && i < 4 && "number" }, text));
    const lines = own.map(row => element("tr", {}, element("th", { scope: "row" }, row.metric),
      [digits(row.value), interval(row), digits(row.n)].map(text => element("td", { class: "number" }, text)),
      [row.input, row.region, row.split].map(text => element("td", {}, text))));
    return section("Values", element("div", { class: "scrolling" }, element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, lines))));
  }

  // Its own; or those of the same subject from clean images, so that one sees what was measured.
  function picturesOf(key) {
    const { kind, experiment, seed } = artifacts[key];
    const same = Object.values(artifacts).filter(other => other.experiment === experiment && other.seed === seed && other.pictures.length);
    const shown = artifacts[key].pictures.length ? artifacts[key] : same.find(other => other.kind === "reconstruction");
    if (!shown) return section("Reconstructions", element("p", { class: "none" }, `${experiment} reconstructs nothing.`));
    const [clean, seen] = ["clean", "seen"].map(name => shown.pictures.find(picture => picture.name === name));
    const pictures = shown.pictures.filter(picture => !(picture === seen && clean && seen.file === clean.file)); // twice the same
    const figure = ({ name, file, width, height }) => element("figure", {}, element("figcaption", {}, name),
      element("img", { class: "pixels", loading: "lazy", src: file, width, height, alt: `${name} images of ${titleOf(shown)}: ${shown.name}` }));
    const whose = shown === artifacts[key] ? null : element("p", { class: "quiet" }, `Of the same subject: ${shown.name}`);
    return section(kind === "reconstruction" || whose ? "Reconstructions" : "Images", whose, element("div", { class: "pictures" }, pictures.map(figure)));
  }

  // What uses an artifact, and for a training what uses its measurements.
  function users(key, name) {
    const through = Object.keys(artifacts).filter(other => artifacts[other].inputs.model === key);
    const found = new Map(artifacts[key][name].map(id => [id, null]));
    for (const other of through) for (const id of artifacts[other][name]) if (!found.has(id)) found.set(id, other);
    return [...found];
  }
  const by = other => other && [" (through ", link(other, artifacts[other].kind), ")"];

  function shownBy(key) {
    const items = users(key, "figures").map(([label, other]) => {
      const { caption, report, notebook } = figures[label];
      const [number, text] = /^((?:Figure|Table)\s\S+?):?\s(.*)$/.exec(caption ?? "")?.slice(1) ?? [label, ""];
      return [report ? element("a", { href: report }, number) : number, by(other), notebook && [" · ", element("a", { href: notebook }, "notebook cell")], element("span", { class: "quiet" }, ` ${text.split(/(?<=\.)\s/)[0]}`)].flat(2);
    });
    return section("Shown in", list(items, sourced ? "No figure or table of the report asks for it." : "Not known: the executed notebooks of this site don't say what they rest on."));
  }

  function claimedBy(key) {
    if (!judged) return section("Claims", element("p", { class: "none" }, "Not judged: when this page was made, the cache did not hold all that claims are judged by."));
    const items = users(key, "claims").map(([id, other]) => {
      const { requirement, sentence, verdict } = claims[id];
      return [element("span", { class: `verdict ${verdict}` }, verdict), ` ${requirement} `, marked(sentence), by(other)].flat(2);
    });
    return section("Claims that rest on it", list(items, "None."));
  }

  function duration(seconds) {
    if (seconds < 60) return `${digits(seconds)} s`;
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }

  function provenanceOf(key) {
    const artifact = artifacts[key], { inputs } = artifact, model = artifacts[modelOf(key)];
    const code = text => element("code", {}, text);
    const from = name => inputs[name] && (artifacts[inputs[name]] ? link(inputs[name], `${artifacts[inputs[name]].name} (${inputs[name]})`) : code(inputs[name]));
    return section("Provenance", pairs([
      ["artifact", [code(key), ` ${artifact.name}`]],
      ["is also that of", artifact.also.join(", ") || null],
      ["model", artifact.kind === "training" ? null : from("model")],
      ["classifier", from("fit")],
      ["seed", model ? String(artifact.seed) : "none: a baseline is fitted, not trained"],
      ["data fingerprint", inputs.data && code(inputs.data)],
      ["images shown", inputs.shown && code(inputs.shown)],
      ["code hash", code(artifact.code)],
      ["made", `${artifact.created.replace("T", " ").replace("+00:00", " UTC")}, in ${duration(artifact.seconds)}`],
      ["made on", artifact.device && `${artifact.device}, ${artifact.precision}, threads: ${artifact.threads}`],
      ["versions", Object.entries(versions[artifact.versions]).map(([name, version]) => `${name} ${version}`).join(", ")],
    ]), element("details", { open: true }, element("summary", {}, "Spec"), pairs(leaves(artifact.spec).map(([name, value]) => [name, code(value)]))));
  }

  function relatives(key) {
    const { experiment, seed } = artifacts[key];
    const others = Object.keys(artifacts).filter(other => other !== key && artifacts[other].experiment === experiment && artifacts[other].seed === seed);
    return others.length ? section("Of the same subject", list(others.map(other => link(other, `${artifacts[other].kind}: ${artifacts[other].name.split("/").slice(2).join("/")}`)))) : null;
  }

  function lossOf(key) {
    const curve = historyOf(key) && lossCurve(historyOf(key), Math.min(560, innerWidth - 70));
    if (!curve) return null;
    const entries = [["train", "in training"], ["validation", "validation images"]].map(([part, text]) => element("span", { class: part }, text));
    return section("Loss", curve, element("p", { class: "legend", "aria-hidden": "true" }, entries));
  }

  function open() {
    const artifact = artifacts[view.artifact];
    find("#artifact-title").textContent = artifact ? `${titleOf(artifact)}: ${artifact.kind}` : "Not in the cache";
    const missing = element("p", {}, "When this page was made, the cache held no artifact ", element("code", {}, view.artifact), ".");
    const parts = artifact ? [valuesOf, picturesOf, lossOf, shownBy, claimedBy, provenanceOf, relatives].map(part => part(view.artifact)).filter(Boolean) : [missing];
    find("#artifact .inside").replaceChildren(...parts);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  }

  dialog.addEventListener("close", () => { // the browser gave the focus back, if a row had it
    if (document.activeElement === document.body) focusRow(shown.findIndex(row => row.key === view.artifact));
    view.artifact = "";
    history.replaceState(null, "", address());
  });
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); }); // beside it
  find("#artifact .close").addEventListener("click", () => dialog.close());

  function follow() {
    const before = address({ artifact: "" });
    read();
    if (!drawnRows || address({ artifact: "" }) !== before) show();
    if (view.artifact) { find("#all").open = true; open(); }
    else if (dialog.open) dialog.close();
  }
  addEventListener("hashchange", follow);
  headings();
  if (location.hash) find("#all").open = true;
  setUpBoard();
  follow();
}

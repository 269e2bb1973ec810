// The gallery: pills by domain, a search, and the tiles that fit both. Filtering happens here, at
// every key, without the server; it hears of the domain (for the link) and of the tile chosen.
// `data` is JSON: { words, crowd, domain, search, domains: [{ id, name, icon }], tiles: [{ id, href,
// domain, image, title, summary, badge, color, metric, value, text }] }; see tiles.py.
const piece = (tag, style, text) => {
  const node = document.createElement(tag)
  if (style) node.className = style
  if (text) node.textContent = text
  return node
}

const drawTile = (tile, domain, choose) => {
  const link = piece("a")
  link.href = tile.href
  link.dataset.id = tile.id
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    event.preventDefault()
    choose(tile.id)
  }
  if (domain) link.append(piece("div", "domain quiet", domain))
  const image = piece("img")
  image.src = tile.image
  image.alt = ""
  const facts = piece("div", "facts")
  const badge = piece("span", "badge", tile.badge)
  badge.style.background = `var(--st-${tile.color}-background-color)`
  badge.style.color = `var(--st-${tile.color}-text-color)`
  facts.append(badge)
  if (tile.value) {
    const metric = piece("span", "quiet", tile.metric + " ")
    metric.append(piece("strong", "", tile.value))
    facts.append(metric)
  }
  link.append(image, piece("div", "title", tile.title), piece("div", "quiet", tile.summary), facts)
  return link
}

// Drawing anew must not take the keyboard's place away from the visitor.
const keepFocus = (old, root) => {
  const held = old.getRootNode().activeElement
  if (!held || !old.contains(held)) return () => {}
  const kind = held.tagName.toLowerCase()
  const same = held.dataset.id ? `${kind}[data-id="${held.dataset.id}"]` : kind
  const caret = [held.selectionStart, held.selectionEnd]
  return () => {
    const next = root.querySelector(same)
    if (!next) return
    next.focus({ preventScroll: true })
    if (kind === "input") next.setSelectionRange(...caret)
  }
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const { words, crowd, domains, tiles, ...seed } = JSON.parse(new TextDecoder().decode(data))
  const old = parentElement.querySelector(".gallery")
  // What was chosen stays when the page is drawn again, in another language say.
  let domain = old ? old.dataset.domain : seed.domain
  const root = piece("div", "gallery")
  const bar = piece("div", "bar")
  const pills = piece("div", "pills")
  pills.setAttribute("role", "group")
  pills.setAttribute("aria-label", words.domain)
  const field = piece("label", "search")
  const input = piece("input")
  input.type = "search"
  input.placeholder = words.search
  input.setAttribute("aria-label", words.search)
  input.value = old ? old.querySelector("input").value : seed.search
  const icon = piece("span", "icon", "search")
  icon.setAttribute("aria-hidden", "true")
  field.append(icon, input)
  const shelf = piece("div", "shelf")
  shelf.setAttribute("aria-live", "polite")

  const group = (heading, shown, named) => {
    if (heading) shelf.append(piece("h2", "", heading))
    const grid = piece("div", "tiles")
    const name = (tile) => (named ? domains.find((d) => d.id === tile.domain).name : "")
    grid.append(...shown.map((tile) => drawTile(tile, name(tile), (id) => setTriggerValue("chosen", id))))
    shelf.append(grid)
  }
  const draw = () => {
    root.dataset.domain = domain
    for (const pill of pills.children) pill.setAttribute("aria-pressed", pill.dataset.id === domain)
    const wanted = input.value.toLowerCase().split(/\s+/)
    const shown = tiles.filter(
      (tile) => (!domain || tile.domain === domain) && wanted.every((word) => tile.text.includes(word)),
    )
    shelf.replaceChildren()
    const groups = domains
      .map((d) => [d.name, shown.filter((tile) => tile.domain === d.id)])
      .filter(([, members]) => members.length)
    if (!shown.length) shelf.append(piece("p", "none", words.none))
    // Rows of one or two tiles would look torn apart.
    else if (shown.length < crowd * groups.length) group("", shown, true)
    else for (const [name, members] of groups) group(name, members, false)
  }

  for (const { id, name, icon: sign } of domains) {
    const pill = piece("button", "pill")
    pill.type = "button"
    pill.dataset.id = id
    const mark = piece("span", "icon", sign)
    mark.setAttribute("aria-hidden", "true")
    pill.append(mark, piece("span", "", name))
    pill.onclick = () => {
      domain = domain === id ? "" : id
      draw()
      setStateValue("domain", domain)
    }
    pills.append(pill)
  }
  input.oninput = draw
  draw()
  bar.append(pills, field)
  root.append(bar, shelf)
  if (!old) return void parentElement.append(root)
  const focus = keepFocus(old, root)
  old.replaceWith(root)
  focus()
}

// A small sketcher for molecules: atoms and bonds as SVG, drawn with a pointer.
// `data` is JSON: { start: { atoms: [[element, x, y]], bonds: [[from, to, order]] }, words }.
// What is drawn goes back as the state `drawing`, a short while after each change.
const ELEMENTS = ["C", "N", "O", "S", "F", "Cl", "Br", "P"]
const VALENCE = { C: 4, N: 3, O: 2, S: 2, F: 1, Cl: 1, Br: 1, P: 3 }
const LENGTH = 40 // of a bond
const REACH = 15 // how near a pointer must be to an atom
const WIDTH = 440
const HEIGHT = 300
const WAIT = 500 // milliseconds after a change

const node = (tag, attributes = {}, text) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  if (text !== undefined) made.textContent = text
  return made
}

const button = (text, label, press) => {
  const made = document.createElement("button")
  made.type = "button"
  made.textContent = text
  made.title = label
  made.setAttribute("aria-label", label)
  made.onclick = press
  return made
}

const copy = ({ atoms, bonds }) => ({ atoms: atoms.map((a) => [...a]), bonds: bonds.map((b) => [...b]) })

class Sketch {
  constructor(root, start, words, send) {
    Object.assign(this, { root, words, send, tool: "C", order: 1, drawing: copy(start), past: [] })
    this.build()
    this.draw()
  }

  build() {
    this.bars = [document.createElement("div"), document.createElement("div")]
    for (const bar of this.bars) bar.className = "bar"
    this.picture = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" })
    this.picture.setAttribute("aria-label", this.words.alt)
    const choose = (tool) => () => {
      this.tool = tool
      this.mark()
    }
    this.tools = ELEMENTS.map((element) => [element, button(element, element, choose(element))])
    this.tools.push(["erase", button("⌫", this.words.erase, choose("erase"))])
    this.orders = [1, 2, 3].map((order) => [
      order,
      button("–=≡"[order - 1], this.words.orders[order - 1], () => {
        this.order = order
        this.mark()
      }),
    ])
    this.bars[0].append(...this.tools.map(([, made]) => made))
    this.bars[1].append(
      ...this.orders.map(([, made]) => made),
      button("⌬", this.words.benzene, () => this.ring(6, true)),
      button("⬡", this.words.six, () => this.ring(6, false)),
      button("⬠", this.words.five, () => this.ring(5, false)),
      button("↶", this.words.undo, () => this.undo()),
      button("✕", this.words.clear, () => this.change(() => Object.assign(this.drawing, { atoms: [], bonds: [] }))),
    )
    this.picture.onpointerdown = (event) => this.press(event)
    this.picture.onpointermove = (event) => this.move(event)
    this.picture.onpointerup = (event) => this.release(event)
    this.picture.onpointercancel = () => {
      this.from = undefined
      this.draw()
    }
    this.root.replaceChildren(...this.bars, this.picture)
    this.mark()
  }

  mark() {
    for (const [tool, made] of this.tools) made.setAttribute("aria-pressed", tool === this.tool)
    for (const [order, made] of this.orders) made.setAttribute("aria-pressed", order === this.order)
  }

  change(work) {
    this.past.push(copy(this.drawing))
    work()
    this.draw()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.send(copy(this.drawing)), WAIT)
  }

  undo() {
    const last = this.past.pop()
    if (!last) return
    this.change(() => (this.drawing = last))
    this.past.pop()
  }

  place(event) {
    const box = this.picture.getBoundingClientRect()
    const x = ((event.clientX - box.left) / box.width) * WIDTH
    const y = ((event.clientY - box.top) / box.height) * HEIGHT
    return [Math.max(8, Math.min(WIDTH - 8, x)), Math.max(8, Math.min(HEIGHT - 8, y))]
  }

  atomAt([x, y]) {
    let best = -1
    let least = REACH
    this.drawing.atoms.forEach(([, ax, ay], i) => {
      const far = Math.hypot(ax - x, ay - y)
      if (far < least) [best, least] = [i, far]
    })
    return best
  }

  bondAt([x, y]) {
    return this.drawing.bonds.findIndex(([a, b]) => {
      const [, ax, ay] = this.drawing.atoms[a]
      const [, bx, by] = this.drawing.atoms[b]
      return Math.hypot((ax + bx) / 2 - x, (ay + by) / 2 - y) < 12
    })
  }

  press(event) {
    event.preventDefault()
    this.picture.setPointerCapture(event.pointerId)
    const at = this.place(event)
    this.from = { at, atom: this.atomAt(at) }
  }

  move(event) {
    if (!this.from || this.from.atom < 0 || this.tool === "erase") return
    this.to = this.place(event)
    this.draw()
  }

  release(event) {
    const from = this.from
    const at = this.place(event)
    this.from = this.to = undefined
    if (!from) return
    const dragged = Math.hypot(at[0] - from.at[0], at[1] - from.at[1]) > REACH
    const atom = this.atomAt(at)
    const bond = from.atom < 0 ? this.bondAt(from.at) : -1
    this.change(() => {
      if (this.tool === "erase") this.erase(from.atom, bond)
      else if (from.atom >= 0 && dragged) this.connect(from.atom, atom >= 0 ? atom : this.add(this.ahead(from.atom, at)))
      else if (from.atom >= 0) this.touch(from.atom)
      else if (bond >= 0) this.turn(bond)
      else this.add(at)
    })
  }

  add([x, y], element = this.tool) {
    this.drawing.atoms.push([element, x, y])
    return this.drawing.atoms.length - 1
  }

  // Where a bond of the usual length ends on the way to a place.
  ahead(atom, [x, y]) {
    const [, ax, ay] = this.drawing.atoms[atom]
    const turn = (Math.round((Math.atan2(y - ay, x - ax) * 12) / Math.PI) * Math.PI) / 12
    return [ax + LENGTH * Math.cos(turn), ay + LENGTH * Math.sin(turn)]
  }

  connect(a, b) {
    if (a === b) return
    const old = this.drawing.bonds.find(([x, y]) => (x === a && y === b) || (x === b && y === a))
    if (old) old[2] = this.order
    else this.drawing.bonds.push([a, b, this.order])
  }

  // A click on an atom changes its element, or lets it grow where it has that element already.
  touch(atom) {
    const own = this.drawing.atoms[atom]
    if (own[0] !== this.tool) own[0] = this.tool
    else this.connect(atom, this.add(this.free(atom)))
  }

  // The roomiest direction around an atom.
  free(atom) {
    const [, x, y] = this.drawing.atoms[atom]
    const around = this.neighbours(atom).map(([, bx, by]) => Math.atan2(by - y, bx - x))
    if (!around.length) return [x + LENGTH * Math.cos(-Math.PI / 6), y + LENGTH * Math.sin(-Math.PI / 6)]
    let best = [-1, 0]
    for (let k = 0; k < 24; k++) {
      const turn = (k * Math.PI) / 12
      const gap = Math.min(...around.map((a) => Math.abs(Math.atan2(Math.sin(turn - a), Math.cos(turn - a)))))
      const room = Math.min(gap, around.length === 1 ? (2 * Math.PI) / 3 : Math.PI)
      if (room > best[0] + 1e-6) best = [room, turn]
    }
    return [x + LENGTH * Math.cos(best[1]), y + LENGTH * Math.sin(best[1])]
  }

  neighbours(atom) {
    return this.drawing.bonds
      .filter(([a, b]) => a === atom || b === atom)
      .map(([a, b]) => this.drawing.atoms[a === atom ? b : a])
  }

  turn(bond) {
    const own = this.drawing.bonds[bond]
    own[2] = this.order > 1 && own[2] !== this.order ? this.order : (own[2] % 3) + 1
  }

  erase(atom, bond) {
    if (bond >= 0) this.drawing.bonds.splice(bond, 1)
    if (atom < 0) return
    this.drawing.atoms.splice(atom, 1)
    const shift = (i) => (i > atom ? i - 1 : i)
    this.drawing.bonds = this.drawing.bonds
      .filter(([a, b]) => a !== atom && b !== atom)
      .map(([a, b, order]) => [shift(a), shift(b), order])
  }

  ring(size, aromatic) {
    this.change(() => {
      const radius = LENGTH / (2 * Math.sin(Math.PI / size))
      const right = Math.max(0, ...this.drawing.atoms.map(([, x]) => x))
      const middle = this.drawing.atoms.length ? Math.min(right + radius + 30, WIDTH - radius - 10) : WIDTH / 2
      const made = [...Array(size).keys()].map((k) => {
        const turn = -Math.PI / 2 + (2 * Math.PI * k) / size
        return this.add([middle + radius * Math.cos(turn), HEIGHT / 2 + radius * Math.sin(turn)], "C")
      })
      made.forEach((atom, k) =>
        this.drawing.bonds.push([atom, made[(k + 1) % size], aromatic && k % 2 === 0 ? 2 : 1]),
      )
    })
  }

  draw() {
    const lines = this.drawing.bonds.flatMap((bond) => this.drawBond(bond))
    const signs = this.drawing.atoms.flatMap((atom, i) => this.drawAtom(atom, i))
    const rubber = []
    if (this.to) {
      const [, x, y] = this.drawing.atoms[this.from.atom]
      rubber.push(node("line", { x1: x, y1: y, x2: this.to[0], y2: this.to[1], class: "rubber" }))
    }
    if (!this.drawing.atoms.length) {
      signs.push(node("text", { x: WIDTH / 2, y: HEIGHT / 2, class: "hint" }, this.words.empty))
    }
    this.picture.replaceChildren(...lines, ...rubber, ...signs)
  }

  drawBond([a, b, order]) {
    const [, ax, ay] = this.drawing.atoms[a]
    const [, bx, by] = this.drawing.atoms[b]
    const far = Math.hypot(bx - ax, by - ay) || 1
    const [nx, ny] = [(-(by - ay) / far) * 4, ((bx - ax) / far) * 4]
    const shifts = { 1: [0], 2: [-0.7, 0.7], 3: [-1.4, 0, 1.4] }[order]
    return shifts.map((k) =>
      node("line", { x1: ax + k * nx, y1: ay + k * ny, x2: bx + k * nx, y2: by + k * ny, class: "bond" }),
    )
  }

  // Carbons are corners without a letter, unless they stand alone.
  drawAtom([element, x, y], i) {
    const used = this.drawing.bonds.reduce((n, [a, b, order]) => n + (a === i || b === i ? order : 0), 0)
    const marks = []
    if (used > VALENCE[element] && !(element === "S" && used <= 6) && !(element === "P" && used <= 5))
      marks.push(node("circle", { cx: x, cy: y, r: 14, class: "wrong" }))
    if (element === "C" && used > 0) return [...marks, node("circle", { cx: x, cy: y, r: 2.5, class: "corner" })]
    const missing = Math.max(0, (VALENCE[element] || 0) - used)
    const name = element + (missing ? "H" + (missing > 1 ? "₂₃₄"[missing - 2] : "") : "")
    return [...marks, node("circle", { cx: x, cy: y, r: 10, class: "ground" }), node("text", { x, y, class: "atom" }, name)]
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const { start, words } = JSON.parse(new TextDecoder().decode(data))
  let root = parentElement.querySelector(".sketch")
  if (root) return
  root = document.createElement("div")
  root.className = "sketch"
  parentElement.append(root)
  new Sketch(root, start, words, (drawing) => setStateValue("drawing", drawing))
}

"""The browser's half of a flight: draws, and says which key is held.

It plays a turn's steps at half speed; when a turn begins it asks for the next one with the key
that is held at that moment, so that the answer is there when the turn ends. The canvas outlives
reruns of the page, and so do keys that are held.
"""

STYLE = """
.flight { font: 400 0.875rem/1.5 var(--st-font); color: var(--st-text-color); }
.flight canvas { display: block; width: 100%; aspect-ratio: 20 / 14.5; border-radius: 0.625rem;
  border: 1px solid var(--st-border-color); touch-action: manipulation; }
.flight canvas:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.flight .keys { display: flex; gap: 0.5rem; margin-top: 0.5rem; }
.flight button { flex: 1; min-height: 2.75rem; font: inherit; color: inherit; cursor: pointer;
  background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color);
  border-radius: 0.5rem; user-select: none; touch-action: none; }
.flight button.held { border-color: var(--st-primary-color); border-width: 2px; }
"""
SCRIPT = """
const KEYS = { ArrowLeft: 1, a: 1, ArrowUp: 2, w: 2, ArrowRight: 3, d: 3 }
const FRAME_MS = 40
const WIDE = 20, HIGH = 14.5

export default function ({ data, parentElement, setTriggerValue }) {
  const shown = JSON.parse(new TextDecoder().decode(data))
  const game = (parentElement.flight ??= build(parentElement))
  game.send = (value) => setTriggerValue("turn", value)
  receive(game, shown)
}

function build(parent) {
  const root = document.createElement("div")
  root.className = "flight"
  const canvas = document.createElement("canvas")
  canvas.tabIndex = 0
  const keys = document.createElement("div")
  keys.className = "keys"
  root.append(canvas, keys)
  parent.append(root)
  const game = { root, canvas, keys, held: [], buttons: {}, id: null, timer: 0 }
  const down = (action) => {
    game.held = [action, ...game.held.filter((a) => a !== action)]
    mark(game)
    start(game)
  }
  const up = (action) => {
    game.held = game.held.filter((a) => a !== action)
    mark(game)
  }
  canvas.onkeydown = (event) => {
    const action = KEYS[event.key]
    if (!action && event.key !== " ") return
    event.preventDefault()
    event.stopPropagation()
    if (action && !event.repeat) down(action)
    else if (!action) start(game)
  }
  canvas.onkeyup = (event) => KEYS[event.key] && up(KEYS[event.key])
  canvas.onblur = () => { game.held = []; mark(game) }
  canvas.onpointerdown = () => canvas.focus({ preventScroll: true })
  for (const [action, sign] of [[1, "\\u2190"], [2, "\\u2191"], [3, "\\u2192"]]) {
    const button = document.createElement("button")
    button.type = "button"
    button.textContent = sign
    button.onpointerdown = (event) => { event.preventDefault(); down(action) }
    button.onpointerup = button.onpointerleave = button.onpointercancel = () => up(action)
    button.onkeydown = (event) => (event.key === "Enter" || event.key === " ") && !event.repeat && down(action)
    button.onkeyup = () => up(action)
    game.buttons[action] = button
    keys.append(button)
  }
  new ResizeObserver(() => draw(game)).observe(canvas)
  return game
}

function mark(game) {
  for (const [action, button] of Object.entries(game.buttons))
    button.classList.toggle("held", game.held[0] === Number(action))
}

function receive(game, shown) {
  game.words = shown.words
  game.canvas.setAttribute("aria-label", shown.words.alt)
  for (const [action, button] of Object.entries(game.buttons))
    button.setAttribute("aria-label", shown.words.keys[action])
  if (game.id !== shown.id) {
    clearTimeout(game.timer)
    Object.assign(game, { id: shown.id, turn: shown.turn, ground: shown.ground, next: null,
      over: shown.over, playing: false, started: shown.turn > 0, frame: shown.frames.at(-1) })
    draw(game)
    return
  }
  if (shown.turn <= game.turn) { draw(game); return }
  game.turn = shown.turn
  game.next = shown
  if (!game.playing) playNext(game)
}

function start(game) {
  if (game.over || game.playing || game.waiting) return
  game.started = true
  ask(game)
}

function ask(game) {
  game.waiting = true
  game.send({ id: game.id, turn: game.turn, action: game.held[0] ?? 0 })
}

function playNext(game) {
  const block = game.next
  game.next = null
  game.waiting = false
  game.playing = true
  game.over = block.over
  if (!block.over) ask(game)
  let i = 0
  const began = performance.now()
  const step = () => {
    if (game.id !== block.id || !game.canvas.isConnected) { game.playing = false; return }
    game.frame = block.frames[i++]
    draw(game)
    if (i < block.frames.length) {
      game.timer = setTimeout(step, Math.max(0, began + i * FRAME_MS - performance.now()))
    } else {
      game.timer = setTimeout(() => {
        game.playing = false
        if (game.next) playNext(game)
      }, FRAME_MS)
    }
  }
  step()
}

function draw(game) {
  if (!game.frame) return
  const { canvas } = game
  const css = getComputedStyle(canvas)
  const color = (name) => css.getPropertyValue(name).trim()
  const scale = window.devicePixelRatio || 1
  canvas.width = canvas.clientWidth * scale
  canvas.height = canvas.clientHeight * scale
  const c = canvas.getContext("2d")
  const k = canvas.width / WIDE
  const place = ([x, y]) => [x * k, canvas.height - y * k]
  const path = (points) => {
    c.beginPath()
    points.forEach((p, i) => (i ? c.lineTo(...place(p)) : c.moveTo(...place(p))))
  }
  c.lineWidth = 2 * scale
  c.strokeStyle = color("--st-gray-text-color")
  path(game.ground)
  c.stroke()
  c.strokeStyle = color("--st-orange-color")
  c.setLineDash([4 * scale, 3 * scale])
  for (const x of [8, 12]) { path([[x, 10 / 3], [x, 4.7], [x + 0.6, 4.5], [x, 4.3]]); c.stroke() }
  c.setLineDash([])
  const [own, agent] = game.frame
  if (agent) ship(c, path, agent, color("--st-gray-text-color"), color("--st-gray-text-color"), false)
  ship(c, path, own, color("--st-primary-color"), color("--st-orange-color"), true)
  if (!game.started || game.over) {
    c.fillStyle = color("--st-text-color")
    c.font = `600 ${15 * scale}px ${css.fontFamily}`
    c.textAlign = "center"
    c.fillText(game.over ? game.words.over : game.words.start, canvas.width / 2, 0.2 * canvas.height)
  }
}

const LEG = [[-0.57, -0.1], [-0.85, -0.6], [-1, -0.6], [-0.7, -0.6], [-0.85, -0.6], [-0.57, -0.1]]
const HULL = [[-0.47, 0.57], ...LEG, [-0.57, -0.33], [0.57, -0.33],
  ...LEG.map(([x, y]) => [-x, y]).reverse(), [0.47, 0.57], [-0.47, 0.57]]
const FLAMES = { 1: [[0.6, 0.4], [1.5, 0.4]], 2: [[-0.3, -0.35], [0, -1.5], [0.3, -0.35]],
  3: [[-0.6, 0.4], [-1.5, 0.4]] }

function ship(c, path, [x, y, angle, action], body, flame, main) {
  const cos = Math.cos(angle), sin = Math.sin(angle)
  const at = ([u, v]) => [x + cos * u - sin * v, y + sin * u + cos * v]
  c.strokeStyle = flame
  if (FLAMES[action]) { path(FLAMES[action].map(at)); c.stroke() }
  c.strokeStyle = c.fillStyle = body
  if (!main) c.setLineDash([4, 4])
  path(HULL.map(at))
  if (main) c.fill()
  c.stroke()
  c.setLineDash([])
}
"""
